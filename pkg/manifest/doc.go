// Package manifest reads a World from YAML files: the source for `limpet dev`, `demo` and `check`.
//
// It decides which files count, parses them as strictly as the API server does (unknown and repeated fields are errors,
// with file and line), and fills in those of the API server's defaults that translation relies on. AffinityPolicies are
// defaulted and validated by the CustomResourceDefinition itself (package schema). Files are hostile: their size and
// number are bounded, and nothing but regular files is opened.
//
// It leaves to translate what the objects mean, and to its caller to keep the last good World when a file that was
// changed does not parse.
package manifest
