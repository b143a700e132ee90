package main

import (
	"fmt"
	"slices"
	"strings"
)

// notYet maps unsupported fields of spec to the only value that this version accepts. A test compares it with
// pkg/translate.
var notYet = map[string]string{}

// method is a cell of the method table.
type method struct{ source, binding string }

// works lists the supported methods. A test compares it with pkg/translate.
var works = []method{
	{"Cookie", "Issued"}, {"Cookie", "Hashed"}, {"Cookie", "Learned"}, {"Cookie", "Wrapped"}, {"Cookie", "Named"},
	{"Header", "Issued"}, {"Header", "Hashed"}, {"Header", "Learned"}, {"Header", "Wrapped"}, {"Header", "Named"},
	{"QueryParam", "Hashed"}, {"QueryParam", "Learned"}, {"QueryParam", "Named"},
	{"PathSegment", "Hashed"}, {"PathSegment", "Named"},
	{"SourceIP", "Hashed"}, {"Composite", "Hashed"},
}

// impossible lists the combinations that the API server rejects.
var impossible = []method{
	{"QueryParam", "Issued"}, {"QueryParam", "Wrapped"},
	{"PathSegment", "Issued"}, {"PathSegment", "Learned"}, {"PathSegment", "Wrapped"},
	{"SourceIP", "Issued"}, {"SourceIP", "Learned"}, {"SourceIP", "Wrapped"}, {"SourceIP", "Named"},
	{"Composite", "Issued"}, {"Composite", "Learned"}, {"Composite", "Wrapped"}, {"Composite", "Named"},
}

// methodTable returns a table of all sources and bindings of the schema.
func methodTable(spec *schema) string {
	fields := spec.Properties["methods"].Items.Schema.Properties
	source, binding := fields["source"], fields["binding"]
	bindings := enum(&binding)
	var b strings.Builder
	fmt.Fprintf(&b, "| source | %s |\n|---|%s\n", strings.Join(bindings, " | "), strings.Repeat("---|", len(bindings)))
	for _, source := range enum(&source) {
		fmt.Fprintf(&b, "| %s |", source)
		for _, binding := range bindings {
			fmt.Fprintf(&b, " %s |", status(method{source, binding}))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// status returns the content of a cell.
func status(m method) string {
	switch {
	case slices.Contains(works, m):
		return "yes"
	case slices.Contains(impossible, m):
		return "-"
	}
	return "not yet"
}

// noMethodTakes reports whether a field is used only by unsupported methods.
func noMethodTakes(field string) bool {
	name, ok := strings.CutPrefix(field, "methods[].")
	switch name {
	case "cookie", "header", "queryParam", "pathSegment", "sourceIP":
		return ok && !slices.ContainsFunc(works, func(m method) bool { return strings.EqualFold(m.source, name) })
	case "named":
		return ok && !slices.ContainsFunc(works, func(m method) bool { return m.binding == "Named" })
	}
	return false
}

// enum returns the enum values of a string schema.
func enum(s *schema) []string {
	var out []string
	for _, v := range s.Enum {
		out = append(out, strings.Trim(string(v.Raw), `"`))
	}
	return out
}
