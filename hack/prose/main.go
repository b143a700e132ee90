package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

type options struct {
	root    string
	base    string
	list    string
	top     int
	write   bool
	measure bool
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "Root of the checkout.")
	flag.StringVar(&o.base, "base", "", "Revision to check commits from. Defaults to the merge base with origin/main, or with main.")
	flag.StringVar(&o.list, "list", "",
		"Print the findings in files whose name begins with this prefix, and check nothing. A dot lists all.")
	flag.IntVar(&o.top, "top", 30, "Maximum number of findings to print for one directory.")
	flag.BoolVar(&o.write, "write", false, "Lower the numbers in allowed.txt to what was found.")
	flag.BoolVar(&o.measure, "measure", false, "Print word frequencies of this module and of its models, and check nothing.")
	flag.Parse()
	if err := run(os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "prose:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, o options) error {
	if o.measure {
		return measure(out, o.root)
	}
	deny, err := denylist()
	if err != nil {
		return err
	}
	found, err := checkTree(o.root, deny)
	if err != nil {
		return err
	}
	if o.list != "" {
		list(out, found, o.list)
		return nil
	}
	file := filepath.Join(o.root, "hack/prose/allowed.txt")
	if o.write {
		return lower(file, found)
	}
	allowed, err := readAllowed(file)
	if err != nil {
		return err
	}
	return check(out, o, deny, found, allowed)
}

// check compares what was found with what is allowed, and checks the commits since the base.
func check(out io.Writer, o options, deny []phrase, found []finding, allowed map[string]int) error {
	base := mergeBase(o.root, o.base)
	commits, err := checkCommits(o.root, base, deny)
	if err != nil {
		return err
	}
	for _, f := range commits {
		fmt.Fprintln(out, f)
	}
	changed, err := changedLines(o.root, base)
	if err != nil {
		return err
	}
	over := exceeding(found, allowed)
	for _, dir := range over {
		report(out, dir, found, allowed[dir], changed, o.top)
	}
	if n := len(over) + len(commits); n > 0 {
		return fmt.Errorf("%d directories have more findings than allowed, %d commit subjects have findings", len(over), len(commits))
	}
	fmt.Fprintf(out, "%d findings, none above the allowance of its directory\n", len(found))
	return nil
}
