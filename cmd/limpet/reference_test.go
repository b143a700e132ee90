package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const flagsPage = "../../docs/reference/flags.md"

var update = flag.Bool("update", false, "write the tables of docs/reference/flags.md, as make generate does")

// TestFlagsPage_isCurrent compares the tables of docs/reference/flags.md with the flags. With -update, it writes them.
func TestFlagsPage_isCurrent(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "") // a default
	text, err := os.ReadFile(flagsPage)
	if err != nil {
		t.Fatal(err)
	}
	introduction, _, _ := strings.Cut(string(text), "## limpet ")
	root := newRootCommand("limpet", streams{})
	want := introduction + flagTables(root)
	for _, cmd := range root.Commands() {
		if !strings.Contains(introduction, "`limpet "+cmd.Name()+"`") {
			t.Errorf("the introduction of docs/reference/flags.md does not name `limpet %s`", cmd.Name())
		}
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("docs/reference/flags.md does not have the flags of the program; make generate writes them")
	}
	if err := os.WriteFile(flagsPage, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// flagTables returns a section with a table for each command that has flags of its own. Demo has those of dev.
func flagTables(root *cobra.Command) string {
	var b strings.Builder
	for _, name := range []string{"run", "dev", "check"} {
		cmd, _, _ := root.Find([]string{name})
		fmt.Fprintf(&b, "## limpet %s\n\n| Flag | Default | Meaning |\n|---|---|---|\n", name)
		cmd.Flags().VisitAll(func(f *pflag.Flag) { b.WriteString(flagRow(f)) })
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func flagRow(f *pflag.Flag) string {
	name, value := "`--"+f.Name+"`", ""
	if f.Shorthand != "" {
		name = "`-" + f.Shorthand + "`, " + name
	}
	if f.DefValue != "" {
		value = "`" + f.DefValue + "`"
	}
	_, usage := pflag.UnquoteUsage(f)
	return fmt.Sprintf("| %s | %s | %s |\n", name, value, strings.ReplaceAll(usage, "|", `\|`))
}

func TestDemo_hasTheFlagsOfDev(t *testing.T) {
	root := newRootCommand("limpet", streams{})
	demo, _, _ := root.Find([]string{"demo"})
	dev, _, _ := root.Find([]string{"dev"})
	demo.Flags().VisitAll(func(f *pflag.Flag) {
		if other := dev.Flags().Lookup(f.Name); other == nil || flagRow(other) != flagRow(f) {
			t.Errorf("limpet demo has %s, and limpet dev does not", flagRow(f))
		}
	})
}
