// Package release checks what a release is made of: that the same source gives the same bytes, and that the list of what a
// program was built from is whole. It has tests only; hack/release.sh does the work.
package release
