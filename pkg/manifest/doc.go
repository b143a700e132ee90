// Package manifest reads Kubernetes objects from YAML files. It is the source of `limpet dev`, `demo` and `check`.
//
// It parses as strictly as the API server: unknown and duplicate fields are errors with file and line. It fills in
// the defaults of the API server that translation relies on. AffinityPolicies are defaulted and validated with
// their CustomResourceDefinition (package schema). Files are untrusted: their size and number are limited, and only
// regular files are opened.
//
// Package translate interprets the objects. If a changed file does not parse, the caller decides what to keep
// serving.
package manifest
