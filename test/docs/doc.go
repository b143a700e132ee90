// Package docs tests README and docs. Every fenced block of every page is tested in the way given by the preceding
// comment (see CONTRIBUTING.md), and tables of names and numbers are compared with the code.
package docs
