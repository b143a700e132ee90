package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// word is a row of the style table.
type word struct {
	name    string
	pattern *regexp.Regexp
	avoid   bool
}

// avoid returns a row for words to avoid.
func avoid(name, pattern string) word { return word{name, wholeWords(pattern), true} }

// prefer returns a row for a standard term.
func prefer(name, pattern string) word { return word{name, wholeWords(pattern), false} }

func wholeWords(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:` + strings.ReplaceAll(pattern, " ", `\s+`) + `)\b`)
}

var table = []word{
	avoid("answer", `answer(s|ed|ing)?`),
	avoid("give", `gives?`),
	avoid("nobody/somebody/whoever", `nobody|somebody|whoever`),
	avoid("ask", `asks?|asked`),
	avoid("tell", `tells?|told`),
	avoid("say", `says?|said`),
	avoid("is/are none", `(is|are) none`),
	avoid("is/are what/how", `(is|are) (what|how)`),
	prefer("response", `responses?`),
	prefer("return", `returns?`),
	prefer("retry", `retr(y|ies|ied|ying)`),
	prefer("cleartext", `cleartext`),
	prefer("keep-alive", `keep-?alives?`),
	prefer("idempotent", `idempoten\w+`),
	prefer("back-pressure", `back-?pressure`),
}

// corpus has the comments of a set of Go packages.
type corpus struct {
	name         string
	comments     strings.Builder
	words        int
	commentLines int
	lines        int // without blank ones
}

// measure prints how often the words of the table occur in this module and in its models.
func measure(out io.Writer, root string) error {
	http2, err := moduleDir(root, "golang.org/x/net")
	if err != nil {
		return err
	}
	goroot, err := goEnv(root, "GOROOT")
	if err != nil {
		return err
	}
	ours, err := readModule(root)
	if err != nil {
		return err
	}
	all := []*corpus{ours}
	for _, model := range []struct{ name, dir string }{
		{"net/http", filepath.Join(goroot, "src/net/http")},
		{"x/net/http2", filepath.Join(http2, "http2")},
	} {
		c := &corpus{name: model.name}
		if err := c.readDir(model.dir); err != nil {
			return err
		}
		all = append(all, c)
	}
	printTable(out, all)
	return nil
}

func moduleDir(root, module string) (string, error) {
	return goOutput(root, "list", "-m", "-f", "{{.Dir}}", module)
}

func goEnv(root, name string) (string, error) { return goOutput(root, "env", name) }

func goOutput(root string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	text := strings.TrimSpace(string(out))
	if err == nil && text == "" {
		err = fmt.Errorf("no output (%s)", runtime.Version())
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return text, nil
}

// readModule reads the Go files of the checkout that are part of the program or its tools.
func readModule(root string) (*corpus, error) {
	c := &corpus{name: "this module"}
	files, err := listFiles(root)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := c.readFile(filepath.Join(root, f)); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	return c, nil
}

// readDir reads the Go files of one directory.
func (c *corpus) readDir(dir string) error {
	names, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := c.readFile(filepath.Join(dir, n)); err != nil {
			return err
		}
	}
	return nil
}

// readFile adds a file to c, unless it is a test, generated, or not Go.
func (c *corpus) readFile(file string) error {
	if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/testdata/") {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return c.add(file, string(text))
}

func (c *corpus) add(file, text string) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if ast.IsGenerated(f) {
		return nil
	}
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			c.lines++
		}
	}
	for _, s := range comments(file, fset, f) {
		if isLicence(s.text) {
			continue
		}
		c.commentLines += strings.Count(s.text, "\n") + 1
		c.words += len(strings.Fields(s.text))
		c.comments.WriteString(s.text + "\n")
	}
	return nil
}

func isLicence(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "Copyright ") }

// per10000 returns the frequency of w in 10,000 words of comments.
func (c *corpus) per10000(w word) float64 {
	if c.words == 0 {
		return 0
	}
	return 1e4 * float64(len(w.pattern.FindAllStringIndex(c.comments.String(), -1))) / float64(c.words)
}

// printTable prints a row for each word. The first corpus is ours, the others are the models.
func printTable(out io.Writer, all []*corpus) {
	row := func(name string, cell func(*corpus) string) {
		fmt.Fprintf(out, "%-32s", name)
		for _, c := range all {
			fmt.Fprintf(out, "%14s", cell(c))
		}
	}
	row("", func(c *corpus) string { return c.name })
	fmt.Fprintln(out)
	row("words of comments", func(c *corpus) string { return fmt.Sprint(c.words) })
	fmt.Fprintln(out)
	row("comment lines", func(c *corpus) string {
		return fmt.Sprintf("%.0f %%", 100*float64(c.commentLines)/float64(max(1, c.lines)))
	})
	fmt.Fprintln(out)
	for _, w := range table {
		kind := "prefer "
		if w.avoid {
			kind = "avoid "
		}
		row(kind+w.name, func(c *corpus) string { return fmt.Sprintf("%.1f", c.per10000(w)) })
		fmt.Fprintln(out, verdict(w, all))
	}
}

// verdict marks a word to avoid that is more than twice as frequent here as in the model that has it most.
func verdict(w word, all []*corpus) string {
	most := 0.0
	for _, c := range all[1:] {
		most = max(most, c.per10000(w))
	}
	if w.avoid && all[0].per10000(w) > 2*most {
		return "  above twice the models"
	}
	return ""
}
