package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The formats of limpet check.
const (
	formatTable = "table"
	formatYAML  = "yaml"
	formatJSON  = "json"
	// These describe Ingresses instead of routes.
	formatReport     = "report"
	formatReportJSON = "report-json"
)

var formats = []string{formatTable, formatYAML, formatJSON, formatReport, formatReportJSON}

// routeWriter returns the function that writes a Model in a format.
func routeWriter(format string) (func(io.Writer, *model.Model) error, error) {
	switch format {
	case formatTable:
		return writeTable, nil
	case formatYAML:
		return writeYAML, nil
	case formatJSON:
		return writeJSON, nil
	case formatReport, formatReportJSON:
		return func(io.Writer, *model.Model) error { return nil }, nil
	}
	return nil, usagef("--output: %q is not a format; it must be one of %s", format, strings.Join(formats, ", "))
}

// checked is the part of a Model that limpet check prints: the routes with their affinity, the hosts with TLS settings, and the
// owners of hosts that several namespaces use.
type checked struct {
	Routes []model.Route     `json:"routes"`
	Hosts  []model.Host      `json:"hosts,omitempty"`
	Owners []model.HostOwner `json:"owners,omitempty"`
}

func checkedOf(m *model.Model) checked {
	routes := m.Routes
	if routes == nil {
		routes = []model.Route{}
	}
	return checked{routes, m.Hosts, m.Owners}
}

// writeYAML writes the routes in steps, because a large fleet has many.
func writeYAML(w io.Writer, m *model.Model) error {
	const step = 100
	if len(m.Routes) == 0 {
		return writeObject(w, checkedOf(m))
	}
	if _, err := io.WriteString(w, "routes:\n"); err != nil {
		return err
	}
	for routes := range slices.Chunk(m.Routes, step) {
		if err := writeObject(w, routes); err != nil {
			return err
		}
	}
	rest := struct {
		Hosts  []model.Host      `json:"hosts,omitempty"`
		Owners []model.HostOwner `json:"owners,omitempty"`
	}{m.Hosts, m.Owners}
	if len(rest.Hosts) == 0 && len(rest.Owners) == 0 {
		return nil
	}
	return writeObject(w, rest)
}

func writeObject(w io.Writer, object any) error {
	text, err := yaml.Marshal(object)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

func writeJSON(w io.Writer, m *model.Model) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(checkedOf(m))
}

// writeTable writes one line for each backend of a route.
func writeTable(w io.Writer, m *model.Model) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "HOST\tPATH\tTYPE\tBACKEND\tWEIGHT\tAFFINITY\tSOURCE")
	for i := range m.Routes {
		route := &m.Routes[i]
		prefix := fmt.Sprintf("%s\t%s\t%s\t", hostText(route.Host), route.Path, route.PathType)
		suffix := "\t" + route.Source.String()
		if outcome := withoutBackend(route); outcome != "" {
			fmt.Fprintln(table, prefix+outcome+"\t-\t-"+suffix)
			continue
		}
		for j := range route.Backends {
			backend := &route.Backends[j]
			fmt.Fprintf(table, "%s%s\t%d\t%s%s\n", prefix, backend.Pool, backend.Weight, affinityText(backend.Affinity), suffix)
		}
	}
	return table.Flush()
}

// withoutBackend describes the responses of a route whose requests reach no backend, or returns "".
func withoutBackend(route *model.Route) string {
	switch f := route.Filters; {
	case route.Closed != "":
		return "responds 503"
	case f != nil && (f.Redirect != nil || len(route.Backends) == 0 && f.SlashRedirect != nil):
		return "redirects"
	case len(route.Backends) == 0:
		return "responds 503"
	}
	return ""
}

// hostText returns a host for the table. The star is for any host.
func hostText(host string) string {
	switch host {
	case "":
		return "*"
	case model.HostUnmatched:
		return "(unmatched)"
	}
	return host
}

// affinityText lists the methods of a backend.
func affinityText(a *model.Affinity) string {
	if a == nil {
		return "none"
	}
	var methods []string
	for i := range a.Methods {
		methods = append(methods, fmt.Sprintf("%s/%s", a.Methods[i].Source, a.Methods[i].Binding))
	}
	return strings.Join(methods, ",")
}
