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

// readSpec gives the schema of spec in the one version of a CustomResourceDefinition.
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
		return nil, fmt.Errorf("%s has %d versions, but this program writes about one", file, len(definition.Spec.Versions))
	}
	spec := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	return &spec, nil
}

// structs are the Go types of the API by name, each with its fields in their order: a CustomResourceDefinition has them
// by name.
type structs map[string][]goField

// goField is a field of a Go type: its name in JSON, and the name of its type, or of that of its elements.
type goField struct{ name, typ string }

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

// typeName gives "" for a type of another package.
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

// constant is a string constant, with what its comment says of it.
type constant struct{ name, value, doc string }

// readConstants gives the constants of a Go file that have comments, in their order.
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
			value, _ := strconv.Unquote(literal.Value) // the parser has seen that it is one
			out = append(out, constant{spec.Names[0].Name, value, spec.Doc.Text()})
		}
		return true
	})
	return out, nil
}

// tableOf gives the rows of the constants whose names start with prefix.
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

// sentence makes the rest of a comment stand alone.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
