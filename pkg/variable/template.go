package variable

import (
	"errors"
	"fmt"
	"strings"
)

// MaxText is the maximum length of a text in bytes.
const MaxText = 2048

// maxParts bounds the work of expanding a text.
const maxParts = 32

// Kind identifies the value of a variable.
type Kind uint8

// The kinds. The comments have the names in nginx and ingress-nginx.
const (
	Host              Kind = iota + 1 // $host: the host in lower case, without port
	Authority                         // $best_http_host: the host with its port, as a trusted proxy names it
	Scheme                            // $scheme and $pass_access_scheme: http or https
	RequestURI                        // $request_uri: path and query
	EscapedRequestURI                 // $escaped_request_uri: the same as one component of a URI
	Path                              // $uri and $document_uri: the path without the query
	Query                             // $args and $query_string
	Method                            // $request_method
	ClientIP                          // $remote_addr and $the_real_ip
	BinaryClientIP                    // $binary_remote_addr: its 4 or 16 bytes
	RemoteUser                        // $remote_user: the user of basic authentication
	Argument                          // $arg_name: a parameter of the query
	Cookie                            // $cookie_name
	Header                            // $http_name: a field of the request
	HostField                         // $http_host: the Host field, by which the route was found
)

// Variable is one variable. Name is only set for Argument, Cookie and Header. The name of a Header has dashes.
type Variable struct {
	Kind Kind
	Name string
}

var kinds = map[string]Kind{
	"host": Host, "http_host": HostField, "best_http_host": Authority, "scheme": Scheme, "pass_access_scheme": Scheme,
	"request_uri": RequestURI, "escaped_request_uri": EscapedRequestURI, "uri": Path, "document_uri": Path,
	"args": Query, "query_string": Query, "request_method": Method, "remote_addr": ClientIP, "the_real_ip": ClientIP,
	"binary_remote_addr": BinaryClientIP, "remote_user": RemoteUser,
}

// prefixed are the kinds of variables with a name of their own.
var prefixed = []struct {
	prefix string
	kind   Kind
}{{"arg_", Argument}, {"cookie_", Cookie}, {"http_", Header}}

// Source provides the values of variables for one request.
type Source interface {
	// AppendVariable appends the value of a variable, which may be empty.
	AppendVariable(dst []byte, v *Variable) []byte
}

// Template is a parsed text. It is immutable. A nil Template is empty.
type Template struct {
	text  string
	parts []part
}

// part is literal text, followed by a variable. The last part may have no variable.
type part struct {
	literal  string
	variable Variable
}

// Parse parses a text. Variables have the forms $name and ${name}. The error completes a sentence about the text.
func Parse(text string) (*Template, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("is longer than %d bytes", MaxText)
	}
	t := &Template{text: text}
	for rest := text; rest != ""; {
		literal, after, found := strings.Cut(rest, "$")
		p := part{literal: literal}
		if found {
			name, next, err := cutName(after)
			if err != nil {
				return nil, err
			}
			if p.variable, err = find(name); err != nil {
				return nil, err
			}
			after = next
		}
		if t.parts = append(t.parts, p); len(t.parts) > maxParts {
			return nil, fmt.Errorf("has more than %d variables", maxParts)
		}
		rest = after
	}
	return t, nil
}

// cutName splits the name of a variable from the text after "$".
func cutName(text string) (name, rest string, err error) {
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		if name, rest, ok = strings.Cut(inner, "}"); !ok {
			return "", "", errors.New(`has a "${" without "}"`)
		}
		return name, rest, nil
	}
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	if end == 0 {
		return "", "", errors.New(`has a "$" that no name of a variable follows`)
	}
	return text[:end], text[end:], nil
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

func find(name string) (Variable, error) {
	lower := strings.ToLower(name) // nginx compares without case
	if kind, ok := kinds[lower]; ok {
		return Variable{Kind: kind}, nil
	}
	for _, p := range prefixed {
		if !strings.HasPrefix(lower, p.prefix) || len(name) == len(p.prefix) {
			continue
		}
		own := name[len(p.prefix):]
		if p.kind == Header {
			own = strings.ReplaceAll(lower[len(p.prefix):], "_", "-")
		}
		return Variable{p.kind, own}, nil
	}
	return Variable{}, fmt.Errorf("has the variable $%s, which is not supported", name)
}

// String returns the text that was parsed.
func (t *Template) String() string {
	if t == nil {
		return ""
	}
	return t.text
}

// Variables calls f for each variable, in order, with the length of the literal text before it.
func (t *Template) Variables(f func(v *Variable, literalBefore int)) {
	if t == nil {
		return
	}
	literal := 0
	for i := range t.parts {
		literal += len(t.parts[i].literal)
		if t.parts[i].variable.Kind != 0 {
			f(&t.parts[i].variable, literal)
		}
	}
}

// Append appends the text with the values of a request. escape, if it is not nil, appends each value in another form.
func (t *Template) Append(dst []byte, s Source, escape func(dst, value []byte) []byte) []byte {
	if t == nil {
		return dst
	}
	for i := range t.parts {
		p := &t.parts[i]
		dst = append(dst, p.literal...)
		if p.variable.Kind == 0 {
			continue
		}
		if escape == nil {
			dst = s.AppendVariable(dst, &p.variable)
			continue
		}
		dst = escape(dst, s.AppendVariable(nil, &p.variable))
	}
	return dst
}
