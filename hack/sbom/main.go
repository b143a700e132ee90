// Command sbom prints the modules that a Go program was built from as an SPDX 2.3 document. It reads the build
// information that the linker embeds in the program: the toolchain, the main module, and all linked modules.
//
//	sbom -created 2026-01-02T03:04:05Z bin/limpet
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

type document struct {
	SPDXVersion       string         `json:"spdxVersion"`
	DataLicense       string         `json:"dataLicense"`
	SPDXID            string         `json:"SPDXID"`
	Name              string         `json:"name"`
	DocumentNamespace string         `json:"documentNamespace"`
	CreationInfo      creation       `json:"creationInfo"`
	Packages          []component    `json:"packages"`
	Relationships     []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type component struct {
	SPDXID           string      `json:"SPDXID"`
	Name             string      `json:"name"`
	VersionInfo      string      `json:"versionInfo"`
	DownloadLocation string      `json:"downloadLocation"`
	FilesAnalyzed    bool        `json:"filesAnalyzed"`
	ExternalRefs     []reference `json:"externalRefs"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

func main() {
	created := flag.String("created", "1970-01-01T00:00:00Z", "`time` of the document, such as that of the commit")
	version := flag.String("version", "dev", "`version` of the main module")
	flag.Parse()
	if err := run(os.Stdout, flag.Arg(0), *version, *created); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, program, version, created string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("reading the build information of %q: %w", program, err)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(describe(info, version, created))
}

// describe lists the modules in the order of the build information, sorted by path.
func describe(info *debug.BuildInfo, version, created string) document {
	const self = "SPDXRef-Package-0"
	d := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
		Name: "limpet " + version, DocumentNamespace: "https://" + info.Main.Path + "/sbom/" + version,
		CreationInfo:  creation{Created: created, Creators: []string{"Tool: " + info.Main.Path + "/hack/sbom"}},
		Relationships: []relationship{{"SPDXRef-DOCUMENT", "DESCRIBES", self}},
	}
	d.add(info.Main.Path, version)
	d.add("stdlib", info.GoVersion)
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		d.add(module.Path, module.Version)
	}
	for _, c := range d.Packages[1:] {
		d.Relationships = append(d.Relationships, relationship{self, "DEPENDS_ON", c.SPDXID})
	}
	return d
}

func (d *document) add(path, version string) {
	d.Packages = append(d.Packages, component{
		SPDXID: fmt.Sprintf("SPDXRef-Package-%d", len(d.Packages)), Name: path, VersionInfo: version, DownloadLocation: "NOASSERTION",
		ExternalRefs: []reference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + path + "@" + version}},
	})
}
