package variable

import (
	"errors"
	"fmt"
	"slices"
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

// Piece is literal text, followed by a variable. The last piece may have no variable.
type Piece struct{ Literal, Name string }

// Split splits a text at its variables, which have the forms $name and ${name}. Callers decide which variables they know. The
// error completes a sentence about the text.
func Split(text string) ([]Piece, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("is longer than %d bytes", MaxText)
	}
	var out []Piece
	for text != "" {
		literal, rest, found := strings.Cut(text, "$")
		p := Piece{Literal: literal}
		if found {
			var err error
			if p.Name, rest, err = cutName(rest); err != nil {
				return nil, err
			}
		}
		if out = append(out, p); len(out) > maxParts {
			return nil, fmt.Errorf("has more than %d variables", maxParts)
		}
		text = rest
	}
	return out, nil
}

// Parse parses a text whose variables are all known. The error completes a sentence about the text.
func Parse(text string) (*Template, error) {
	pieces, err := Split(text)
	if err != nil {
		return nil, err
	}
	t := &Template{text: text, parts: make([]part, len(pieces))}
	for i, p := range pieces {
		t.parts[i].literal = p.Literal
		if p.Name == "" {
			continue
		}
		if t.parts[i].variable, err = find(p.Name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// cutName splits the name of a variable from the text after "$".
func cutName(text string) (name, rest string, err error) {
	inner, isBraced := strings.CutPrefix(text, "{")
	end := 0
	for end < len(inner) && isNameByte(inner[end]) {
		end++
	}
	if !isBraced && end > 0 && '1' <= inner[0] && inner[0] <= '9' {
		end = 1 // a group of an expression
	}
	name, rest = inner[:end], inner[end:]
	if isBraced {
		var isClosed bool
		if rest, isClosed = strings.CutPrefix(rest, "}"); !isClosed {
			return "", "", errors.New(`has a "${" that no name and "}" follow`)
		}
	}
	if name == "" {
		return "", "", errors.New(`has a "$" that no name of a variable follows`)
	}
	return name, rest, nil
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

// HasSetVariable reports whether the text has a variable that is not empty for any request.
func (t *Template) HasSetVariable() bool {
	if t == nil {
		return false
	}
	return slices.ContainsFunc(t.parts, func(p part) bool {
		switch p.variable.Kind {
		case Scheme, RequestURI, EscapedRequestURI, Path, Method, ClientIP, BinaryClientIP:
			return true
		}
		return false
	})
}
