// Package docs runs what README and docs show: every fenced block of every page is tested in the way that the comment
// before it says (see CONTRIBUTING.md), and tables of names and numbers are held against the code.
//
// It has tests only, and decides nothing about what is true: that is in the rooms.
package docs
