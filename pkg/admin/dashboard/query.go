package dashboard

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The bounds of a query.
const (
	defaultLimit = 50
	maxLimit     = 200
	maxSearch    = 200 // bytes
)

// listNames are the parameters of lists.
var listNames = []string{"q", "namespace", "sort", "offset", "limit"}

// query is the parsed query of a list.
type query struct {
	terms         []string // in lower case; an element must contain all of them
	namespace     string   // empty selects all
	sort          string
	offset, limit int
}

// parseQuery parses the query of a list. sorts are the allowed values of sort, the default first.
func parseQuery(values url.Values, sorts ...string) (*query, error) {
	if err := checkNames(values, listNames...); err != nil {
		return nil, err
	}
	search := values.Get("q")
	if len(search) > maxSearch {
		return nil, fmt.Errorf("q has %d bytes, but at most %d are allowed", len(search), maxSearch)
	}
	q := &query{terms: strings.Fields(strings.ToLower(search)), namespace: values.Get("namespace"), sort: values.Get("sort"),
		limit: defaultLimit}
	if q.sort == "" {
		q.sort = sorts[0]
	}
	if !slices.Contains(sorts, q.sort) {
		return nil, fmt.Errorf("sort is %q, but must be one of %s", q.sort, strings.Join(sorts, ", "))
	}
	if err := parseNumber(values, "offset", 0, 1<<30, &q.offset); err != nil {
		return nil, err
	}
	return q, parseNumber(values, "limit", 1, maxLimit, &q.limit)
}

// checkNames fails if a parameter is unknown or repeated.
func checkNames(values url.Values, names ...string) error {
	for name, all := range values {
		if !slices.Contains(names, name) || len(all) > 1 {
			return fmt.Errorf("query parameter %q: each of %s is allowed once", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// parseNumber sets n if the parameter is present.
func parseNumber(values url.Values, name string, least, most int, n *int) error {
	text := values.Get(name)
	if text == "" {
		return nil
	}
	parsed, err := strconv.Atoi(text)
	if err != nil || parsed < least || parsed > most {
		return fmt.Errorf("%s is %q, but must be a number from %d to %d", name, text, least, most)
	}
	*n = parsed
	return nil
}

// matches reports whether one of the texts contains each term. Different terms may be in different texts.
func (q *query) matches(texts ...string) bool {
	for _, term := range q.terms {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), term) }) {
			return false
		}
	}
	return true
}

// selects reports whether an object of a namespace is selected.
func (q *query) selects(namespace string) bool { return q.namespace == "" || q.namespace == namespace }

// page is a part of a list.
type page[T any] struct {
	// Total is the number of elements that the query selects.
	Total  int `json:"total"`
	Offset int `json:"offset"`
	Limit  int `json:"limit"`
	Items  []T `json:"items"`
}

// paginate returns the page of the selected elements, converted by describe.
func paginate[S, T any](q *query, selected []S, describe func(S) T) page[T] {
	p := page[T]{Total: len(selected), Offset: q.offset, Limit: q.limit, Items: []T{}}
	first := min(q.offset, len(selected))
	for _, element := range selected[first:min(first+q.limit, len(selected))] {
		p.Items = append(p.Items, describe(element))
	}
	return p
}
