// Command docs writes the pages of docs/reference that follow from the code: what an AffinityPolicy may hold, from the
// CustomResourceDefinition, and the reasons that conditions and Events give, from the comments of their constants.
//
// It decides how that looks, and says what this version does not do yet: see support.go. It reads files only and imports
// no room, so that it works on whatever controller-gen has made.
package main
