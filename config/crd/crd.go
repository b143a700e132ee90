// Package crd holds the CustomResourceDefinitions that controller-gen makes of api/, for those who need them at run
// time: `limpet dev` defaults and validates manifests by them as the API server would.
//
// It decides nothing. The YAML under bases/ is generated: change api/v1alpha1 and run `make generate`.
package crd

import _ "embed"

// AffinityPolicy is the CustomResourceDefinition of AffinityPolicy, in YAML.
//
//go:embed bases/limpet.dev_affinitypolicies.yaml
var AffinityPolicy []byte
