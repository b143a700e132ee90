package docs

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/programs"
)

// flagText is one flag as package flag prints it: name and kind, and on the next line usage and default.
var flagText = regexp.MustCompile(`(?m)^  -(\S+)(?: .*)?\n    \t(.*?)(?: \(default (.*)\))?$`)

func help(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), programs.Limpet.Path(), command, "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("limpet %s --help: %v\n%s", command, err, out)
	}
	return string(out)
}

// flagTable gives the table that a page about the command must have.
func flagTable(t *testing.T, command string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| Flag | Default | Meaning |\n|---|---|---|\n")
	for _, m := range flagText.FindAllStringSubmatch(help(t, command), -1) {
		value := strings.Trim(m[3], `"`)
		if value != "" {
			value = "`" + value + "`"
		}
		name := "--" + m[1]
		if len(m[1]) == 1 {
			name = "-" + m[1]
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, value, m[2])
	}
	return b.String()
}

func TestFlagsAreThoseOfTheProgram(t *testing.T) {
	text := readPage(t, "docs/reference/flags.md").text
	for _, command := range []string{"run", "dev", "check"} {
		want := "## limpet " + command + "\n\n"
		_, section, found := strings.Cut(text, want)
		table := flagTable(t, command)
		if strings.Count(table, "\n") < 4 {
			t.Errorf("limpet %s has flags that were not understood:\n%s", command, help(t, command))
		}
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(section, table) {
			t.Errorf("docs/reference/flags.md must have, below %q:\n%s", want, table)
		}
	}
}

func TestEveryCommandIsOnThePageOfFlags(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), programs.Limpet.Path(), "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := readPage(t, "docs/reference/flags.md").text
	commands := regexp.MustCompile(`(?m)^  (\w+) `).FindAllStringSubmatch(string(out), -1)
	if len(commands) < 5 {
		t.Fatalf("%d commands in\n%s", len(commands), out)
	}
	for _, m := range commands {
		if !strings.Contains(text, "`limpet "+m[1]+"`") && !strings.Contains(text, "## limpet "+m[1]+"\n") {
			t.Errorf("docs/reference/flags.md does not have limpet %s", m[1])
		}
	}
}

// demo is dev with a folder of its own.
func TestDemoHasTheFlagsOfDev(t *testing.T) {
	dev := flagTable(t, "dev")
	for _, row := range strings.Split(flagTable(t, "demo"), "\n") {
		if !strings.Contains(dev, row) {
			t.Errorf("limpet demo has %s, and limpet dev does not", row)
		}
	}
}
