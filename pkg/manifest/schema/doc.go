// Package schema defaults and validates custom resources as the API server would, by the CustomResourceDefinition
// itself: unknown fields, types, patterns and bounds, lists that are sets or maps, and CEL rules.
//
// It uses the API server's own libraries, so that what `limpet dev` and `limpet check` say of a policy is what a
// cluster would say. It knows no kind in particular, and does not look at metadata.
package schema
