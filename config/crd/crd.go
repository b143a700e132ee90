// Package crd embeds the generated CustomResourceDefinitions. `limpet dev` uses them to default and validate
// manifests like the API server.
//
// The YAML under bases/ is generated: change api/v1alpha1 and run `make generate`.
package crd

import _ "embed"

// AffinityPolicy is the CustomResourceDefinition of AffinityPolicy in YAML. Callers must not modify it.
//
//go:embed bases/limpet.dev_affinitypolicies.yaml
var AffinityPolicy []byte
