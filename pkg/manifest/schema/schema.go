package schema

import (
	"context"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

// Schema is the schema of one version of a custom resource. It is safe for concurrent use.
type Schema struct {
	structural *schema.Structural
	values     validation.SchemaValidator
	rules      *cel.Validator
}

// New compiles the only version of a CustomResourceDefinition in YAML.
func New(crd []byte) (*Schema, error) {
	internal, err := internalSchema(crd)
	if err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(internal)
	if err != nil {
		return nil, fmt.Errorf("custom resource schema: %w", err)
	}
	values, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		return nil, fmt.Errorf("custom resource schema: %w", err)
	}
	return &Schema{
		structural: structural,
		values:     values,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

func internalSchema(crd []byte) (*apiextensions.JSONSchemaProps, error) {
	var def apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(crd, &def); err != nil {
		return nil, fmt.Errorf("custom resource definition: %w", err)
	}
	if n := len(def.Spec.Versions); n != 1 {
		return nil, fmt.Errorf("custom resource definition %s has %d versions, want 1", def.Name, n)
	}
	var out apiextensions.CustomResourceValidation
	in := def.Spec.Versions[0].Schema
	convert := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
	if err := convert(in, &out, nil); err != nil {
		return nil, fmt.Errorf("custom resource definition %s: %w", def.Name, err)
	}
	return out.OpenAPIV3Schema, nil
}

// Admit applies the steps of the API server for a create request to object, in place. It rejects unknown fields,
// like kubectl with strict field validation, drops status, sets defaults, and validates the result.
//
// Integers must be decoded as int64, as apimachinery's JSON decoder does.
func (s *Schema) Admit(ctx context.Context, object map[string]any) field.ErrorList {
	if errs := s.unknownFields(object); len(errs) > 0 {
		return errs
	}
	delete(object, "status")
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	defaulting.Default(object, s.structural)
	errs := validation.ValidateCustomResource(nil, object, s.values)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if len(errs) > 0 {
		return errs // the CEL rules require valid types and bounds
	}
	errs, _ = s.rules.Validate(ctx, nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return errs
}

func (s *Schema) unknownFields(object map[string]any) field.ErrorList {
	opts := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown := pruning.PruneWithOptions(object, s.structural, true, opts)
	errs := make(field.ErrorList, 0, len(unknown))
	for _, path := range unknown {
		errs = append(errs, field.Forbidden(field.NewPath(path), "unknown field"))
	}
	return errs
}
