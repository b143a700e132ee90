// Command prose checks the text of the project against the part of the style rules in CONTRIBUTING.md that a machine can check.
//
// It reports a finding for each of these:
//   - a phrase of denylist.txt in a Go comment, in a string of a Go program that has a space in it (flag help, errors and
//     problem texts), in a Markdown page, or in a # comment of a shell script, a Makefile or a YAML file
//   - a doc comment that does not begin with the name that it documents
//   - an exported error variable of pkg/ whose text does not begin with the name of its package
//   - a test whose name has more than 40 characters after Test
//   - a commit subject since the merge base that is not "pkg: verb object" or is longer than 72 characters
//
// allowed.txt has the number of findings that each directory may have. A directory that is not listed may have none.
// The check fails if a directory has more, and -write lowers the numbers to what was found. It never raises one.
//
// With -measure it prints how often each word of the style table occurs in the comments of this module, of net/http and of
// golang.org/x/net/http2.
package main
