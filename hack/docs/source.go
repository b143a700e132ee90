package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// readSpec returns the schema of spec. The CustomResourceDefinition must have exactly one version.
func readSpec(file string) (*apiextensionsv1.JSONSchemaProps, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	definition := new(apiextensionsv1.CustomResourceDefinition)
	if err := yaml.UnmarshalStrict(text, definition); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(definition.Spec.Versions) != 1 {
		return nil, fmt.Errorf("%s has %d versions, want 1", file, len(definition.Spec.Versions))
	}
	spec := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return &spec, nil
}

// structs maps the Go types of the API to their fields in source order. A CustomResourceDefinition does not
// preserve this order.
type structs map[string][]goField

// goField is a field of a Go type: its JSON name, and its type or element type.
type goField struct{ name, typ string }

// readStructs parses all struct types in *_types.go files of dir.
func readStructs(dir string) (structs, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_types.go"))
	if err != nil {
		return nil, err
	}
	all := structs{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				all[spec.Name.Name] = goFields(s)
			}
			return false
		})
	}
	return all, nil
}

func goFields(s *ast.StructType) []goField {
	var out []goField
	for _, field := range s.Fields.List {
		if field.Tag != nil {
			out = append(out, goField{jsonName(field.Tag.Value), typeName(field.Type)})
		}
	}
	return out
}

// typeName returns the name of a type of the same package, without pointers and slices, or "".
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func jsonName(tag string) string {
	text, err := strconv.Unquote(tag)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
	return name
}

// constant is a string constant with its doc comment.
type constant struct{ name, value, doc string }

// readConstants returns the documented constants of a Go file in source order.
func readConstants(file string) ([]constant, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out []constant
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Doc == nil || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			value, _ := strconv.Unquote(literal.Value) // valid, because it was parsed
			out = append(out, constant{spec.Names[0].Name, value, spec.Doc.Text()})
		}
		return true
	})
	return out, nil
}

// tableOf returns table rows for the constants whose names start with prefix.
func tableOf(all []constant, prefix string) string {
	var b strings.Builder
	for _, c := range all {
		if !strings.HasPrefix(c.name, prefix) {
			continue
		}
		doc := strings.TrimPrefix(strings.TrimPrefix(c.doc, c.name), ":")
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.value, sentence(cell(doc)))
	}
	return b.String()
}

// sentence capitalizes the first letter of text.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
