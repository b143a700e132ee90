// Package manifest reads Kubernetes objects from YAML and JSON files. It is the source of `limpet dev`, `demo` and `check`.
//
// It parses as strictly as the API server: unknown and duplicate fields are reported with file and line. It fills in
// the defaults of the API server that translation relies on. AffinityPolicies are defaulted and validated with
// their CustomResourceDefinition (package schema). Files are untrusted: their size and number are limited, and only
// regular files are opened. Large files are split without keeping what Limpet does not read.
//
// Package translate interprets the objects. If a changed file is invalid, a Source keeps its last valid objects.
package manifest
