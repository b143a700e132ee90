package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// pairs is a repeatable flag of the form NAME=VALUE.
type pairs map[string]string

func (p pairs) String() string { return "" }

func (p pairs) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	p[name] = value
	return nil
}

func run(args []string) error {
	files, buildArgs := pairs{}, pairs{}
	f := flag.NewFlagSet("image", flag.ContinueOnError)
	dockerfile := f.String("dockerfile", "Dockerfile", "`file` whose last stage says what is in the image")
	arch := f.String("arch", "amd64", "`architecture` of the programs in it")
	tag := f.String("tag", "", "`name:tag` of the image")
	out := f.String("o", "", "`file` to write the archive to")
	f.Var(files, "file", "`SOURCE=FILE`: what the Dockerfile copies as SOURCE is FILE; may be repeated")
	f.Var(buildArgs, "build-arg", "`NAME=VALUE` of an ARG; may be repeated")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *tag == "" || *out == "" || f.NArg() > 0 {
		return fmt.Errorf("-tag and -o are required, and no arguments are allowed: %q", args)
	}
	text, err := os.ReadFile(*dockerfile)
	if err != nil {
		return err
	}
	s, err := lastStage(string(text), buildArgs)
	if err != nil {
		return fmt.Errorf("%s: %w", *dockerfile, err)
	}
	read := func(source string) ([]byte, error) {
		if file := files[source]; file != "" {
			source = file
		}
		return os.ReadFile(source)
	}
	return writeFile(*out, func(w io.Writer) error { return writeArchive(w, s, *arch, *tag, read) })
}

// writeFile creates a file, and removes it if writing fails.
func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	err = write(file)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}
