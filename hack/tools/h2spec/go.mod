// h2spec, for test/h2spec only: see ../build.sh. A module of its own, because it moves with nothing else. This is the newest
// version that the module proxy serves; the tags after it have a go.mod that does not say their major version.
module github.com/limpet-dev/limpet/hack/tools/h2spec

go 1.26.0

toolchain go1.26.11

tool github.com/summerwind/h2spec/cmd/h2spec

require (
	github.com/fatih/color v1.19.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/spf13/cobra v1.10.2 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/summerwind/h2spec v2.2.1+incompatible // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
