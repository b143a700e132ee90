package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// checkTree returns the findings in every file that git tracks or would track.
func checkTree(root string, deny []phrase) ([]finding, error) {
	files, err := listFiles(root)
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, but still in the index
		}
		if err != nil {
			return nil, err
		}
		here, err := checkFile(name, string(text), deny)
		if err != nil {
			return nil, err
		}
		found = append(found, here...)
	}
	return found, nil
}

func listFiles(root string) ([]string, error) {
	out, err := git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	return splitZero(out), nil
}

// splitZero splits the output of git with -z.
func splitZero(out string) []string {
	return strings.FieldsFunc(out, func(r rune) bool { return r == 0 })
}

func git(root string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", root}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}

// checkFile returns the findings in one file. Files without text for people have none.
func checkFile(name, text string, deny []phrase) ([]finding, error) {
	if strings.Contains("/"+name, "/testdata/") {
		return nil, nil
	}
	switch path.Ext(name) {
	case ".go":
		return checkGo(name, text, deny)
	case ".md", ".tmpl":
		return checkAll(deny, markdown(name, text)), nil
	case ".sh", ".yaml", ".yml":
		return checkAll(deny, hashComments(name, text)), nil
	}
	switch path.Base(name) {
	case "Makefile", "Dockerfile":
		return checkAll(deny, hashComments(name, text)), nil
	case "NOTES.txt":
		return checkAll(deny, markdown(name, text)), nil
	}
	return nil, nil
}

func checkAll(deny []phrase, passages []passage) []finding {
	var found []finding
	for _, s := range passages {
		found = append(found, checkPhrases(deny, s)...)
	}
	return found
}

func checkGo(name, text string, deny []phrase) ([]finding, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(f) {
		return nil, nil
	}
	passages := comments(name, fset, f)
	test := strings.HasSuffix(name, "_test.go")
	if !test {
		passages = append(passages, sentences(name, fset, f)...)
	}
	found := checkAll(deny, passages)
	found = append(found, checkDocs(name, fset, f)...)
	if test {
		return append(found, checkTestNames(name, fset, f)...), nil
	}
	return append(found, checkErrors(name, fset, f)...), nil
}
