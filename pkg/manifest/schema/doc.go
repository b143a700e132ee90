// Package schema applies defaults to custom resources and validates them by their CustomResourceDefinition: unknown
// fields, types, patterns, limits, list types and CEL rules.
//
// It uses the libraries of the API server, so that `limpet dev` and `limpet check` accept the same policies as a
// cluster. It is not specific to a kind, and does not validate metadata.
package schema
