package main

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type schema = apiextensionsv1.JSONSchemaProps

// page builds the part of a page that describes a schema.
type page struct {
	strings.Builder
	types structs
}

// fields writes one section per object below spec, with its fields and validation rules.
func fields(spec *schema, types structs) string {
	p := page{types: types}
	p.section("spec", "AffinityPolicySpec", spec)
	return p.String()
}

func (p *page) section(path, typ string, s *schema) {
	fmt.Fprintf(p, "\n## %s\n\n%s\n\n| Field | Type | Meaning |\n|---|---|---|\n", path, cell(s.Description))
	for _, f := range p.types[typ] {
		field := s.Properties[f.name]
		required := ""
		if slices.Contains(s.Required, f.name) {
			required = ", required"
		}
		fmt.Fprintf(p, "| `%s` | %s%s | %s |\n", f.name, cell(typeOf(&field)), required, meaning(path, f.name, &field))
	}
	p.rules(s)
	for _, f := range p.types[typ] {
		field := s.Properties[f.name]
		if below, suffix := objectOf(&field); below != nil {
			p.section(path+"."+f.name+suffix, f.typ, below)
		}
	}
}

// objectOf returns the schema of a field, or of its elements, if it is an object. Otherwise it returns nil.
func objectOf(s *schema) (below *schema, suffix string) {
	if s.Type == "array" {
		s, suffix = s.Items.Schema, "[]"
	}
	if len(s.Properties) == 0 {
		return nil, ""
	}
	return s, suffix
}

// rules writes the validation rules of an object and of its fields that are not objects.
func (p *page) rules(s *schema) {
	var messages []string
	for _, rule := range s.XValidations {
		messages = append(messages, rule.Message)
	}
	for _, field := range s.Properties {
		if field.Type != "object" {
			for _, rule := range field.XValidations {
				messages = append(messages, rule.Message)
			}
		}
	}
	if len(messages) == 0 {
		return
	}
	slices.Sort(messages)
	p.WriteString("\nThe API server enforces these rules:\n\n")
	for _, message := range messages {
		fmt.Fprintf(p, "- %s\n", message)
	}
}

// meaning returns the description of a field, with a note if this version does not support it.
func meaning(path, name string, field *schema) string {
	text := cell(field.Description)
	at := strings.TrimPrefix(path+"."+name, "spec.")
	if only, ok := notYet[at]; ok {
		text += " **Not in this version: must be " + only + ".**"
	}
	if noMethodTakes(at) {
		text += " **Not in this version.**"
	}
	return text
}

func typeOf(s *schema) string {
	text := plainType(s)
	if s.Default == nil || s.Type == "object" {
		return text
	}
	if value := strings.Trim(string(s.Default.Raw), `"`); value != "" {
		return text + ", default `" + value + "`"
	}
	return text + ", default empty"
}

func plainType(s *schema) string {
	switch {
	case len(s.Enum) > 0:
		return choice(s)
	case s.Type == "array":
		return "list of " + bounds(s.MinItems, s.MaxItems) + elements(s.Items.Schema)
	case strings.Contains(s.Pattern, "(h|m|s|ms)"):
		return "[duration](#durations)"
	case s.Type == "string" && s.MaxLength != nil:
		return "string, " + bounds(s.MinLength, s.MaxLength) + "bytes"
	case s.Type == "integer":
		return fmt.Sprintf("integer, %.0f to %.0f", *s.Minimum, *s.Maximum)
	}
	return s.Type
}

// elements returns the plural name of a list's elements.
func elements(s *schema) string {
	if len(s.Enum) > 0 {
		return "of " + choice(s)
	}
	return s.Type + "s"
}

// bounds returns "1 to 8 ", or "at most 8 " without a lower bound.
func bounds(low, high *int64) string {
	if low != nil && *low > 0 {
		return fmt.Sprintf("%d to %d ", *low, *high)
	}
	return fmt.Sprintf("at most %d ", *high)
}

// choice returns "`A`, `B` or `C`".
func choice(s *schema) string {
	var out []string
	for _, value := range enum(s) {
		if value == "" {
			value = `""`
		}
		out = append(out, "`"+value+"`")
	}
	last := len(out) - 1
	if last == 0 {
		return out[0]
	}
	return strings.Join(out[:last], ", ") + " or " + out[last]
}
