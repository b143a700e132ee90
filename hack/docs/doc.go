// Command docs generates the reference pages that follow from the code. AffinityPolicy fields come from the
// CustomResourceDefinition, and reasons of conditions and Events from the comments of their constants.
//
// It also documents which features this version does not support (support.go). It only parses files and imports no
// package of Limpet, so that it works with any output of controller-gen.
package main
