package http1

import (
	"bytes"
	"net/netip"
	"unicode/utf8"
)

// SetTarget validates the :path of an HTTP/2 request, and sets Path and Query. It must be in origin-form, or "*"
// with OPTIONS. Method must be set before.
func (r *Request) SetTarget(target []byte) (err error) {
	if !allOf(target, classTarget|classNonASCII) || len(target) == 0 || target[0] != '/' && target[0] != '*' {
		return ErrTarget
	}
	if !allOf(target, classTarget) {
		if target, err = encodeTarget(target); err != nil {
			return err
		}
	}
	return r.setTarget(target)
}

// encodeTarget returns a copy of a target with UTF-8 in which all bytes above ASCII are percent-encoded (RFC 3987, section
// 3.1). Some clients send URLs as a user typed them. Text in another encoding is rejected, because its meaning is unknown.
func encodeTarget(target []byte) ([]byte, error) {
	if !utf8.Valid(target) {
		return nil, ErrTarget
	}
	encoded := make([]byte, 0, 3*len(target))
	for _, b := range target {
		if b < utf8.RuneSelf {
			encoded = append(encoded, b)
			continue
		}
		encoded = append(encoded, '%', upperHex[b>>4], upperHex[b&15])
	}
	return encoded, nil
}

// setTarget parses a target in any form of RFC 9112, section 3.2, except authority-form. Its characters must be
// validated.
func (r *Request) setTarget(target []byte) error {
	if len(target) == 0 {
		return ErrTarget
	}
	switch target[0] {
	case '/':
		return r.setOrigin(target)
	case '*':
		return r.setAsterisk(target)
	}
	return r.setAbsolute(target)
}

func (r *Request) setOrigin(target []byte) error {
	r.Path = target
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		r.Path, r.Query, r.HasQuery = target[:i:i], target[i+1:], true
	}
	return checkPath(r.Path)
}

// checkPath rejects invalid percent-encodings, and backslashes, which some servers treat as slashes. They are
// accepted in queries, because browsers and trackers send them and no decision depends on them.
func checkPath(path []byte) error {
	if bytes.IndexByte(path, '\\') >= 0 {
		return ErrTarget
	}
	for {
		i := bytes.IndexByte(path, '%')
		if i < 0 {
			return nil
		}
		if path = path[i:]; !isEscape(path) {
			return ErrPathEscape
		}
		path = path[3:]
	}
}

// isEscape reports whether path, which starts with "%", starts with a valid percent-encoding.
func isEscape(path []byte) bool {
	return len(path) >= 3 && class[path[1]]&class[path[2]]&classHex != 0
}

func (r *Request) setAsterisk(target []byte) error {
	if len(target) != 1 || string(r.Method) != "OPTIONS" {
		return ErrTarget
	}
	r.Path = target
	return nil
}

// setAbsolute parses an absolute-form. Only the schemes http and https are accepted.
func (r *Request) setAbsolute(target []byte) error {
	rest, ok := r.cutScheme(target)
	if !ok {
		return ErrTarget
	}
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if err := r.SetHost(rest[:end:end]); err != nil {
		return err
	}
	rest = rest[end:]
	if len(rest) > 0 && rest[0] == '/' {
		return r.setOrigin(rest)
	}
	return r.setPathless(rest)
}

// setPathless parses the rest of an absolute-form without a path: nothing or a query (RFC 9112, sections 3.2.1 and
// 3.2.4).
func (r *Request) setPathless(rest []byte) error {
	r.Path = rootPath
	if len(rest) > 0 {
		r.Query, r.HasQuery = rest[1:], true
	} else if string(r.Method) == "OPTIONS" {
		r.Path = asterisk
	}
	return nil
}

// Shared paths. Callers must not modify Path.
var rootPath, asterisk = []byte("/"), []byte("*")

// cutScheme removes the scheme of an absolute-form and its "//".
func (r *Request) cutScheme(target []byte) (rest []byte, ok bool) {
	i := bytes.IndexByte(target, ':')
	if i < 0 || !bytes.HasPrefix(target[i:], authorityMark) {
		return nil, false
	}
	r.SetScheme(target[:i])
	rest = target[i+len(authorityMark):]
	return rest, r.defaultPort != "" && len(rest) > 0
}

var authorityMark = []byte("://")

// SetScheme sets the scheme of the target, which determines its default port.
func (r *Request) SetScheme(scheme []byte) {
	switch {
	case foldEqual(scheme, "http"):
		r.defaultPort = ":80"
	case foldEqual(scheme, "https"):
		r.defaultPort = ":443"
	default:
		r.defaultPort = ""
	}
}

// SetHost validates and sets Host. It removes the colon of an empty port, which means the same (RFC 3986, section 3.2.3).
func (r *Request) SetHost(host []byte) error {
	if n := len(host) - 1; n > 0 && host[n] == ':' {
		host = host[:n:n]
	}
	if !IsHost(host) {
		return ErrHost
	}
	r.Host = host
	return nil
}

// isSameHost reports whether the authority is equivalent to Host (RFC 9110, section 4.2.3).
func (r *Request) isSameHost(authority []byte) bool {
	return foldEqual(r.withoutDefaultPort(r.Host), r.withoutDefaultPort(authority))
}

func (r *Request) withoutDefaultPort(authority []byte) []byte {
	n := len(authority) - len(r.defaultPort)
	if r.defaultPort != "" && n > 0 && string(authority[n:]) == r.defaultPort {
		return authority[:n]
	}
	return bytes.TrimSuffix(authority, colon)
}

var colon = []byte(":")

// maxHost is the maximum length of a DNS name (RFC 1035, section 2.3.4) and a trailing dot.
const maxHost = 254

// IsHost validates uri-host [ ":" port ] (RFC 9110, section 7.2; RFC 3986, section 3.2). A reg-name must be a
// host name: user information, percent-encodings and sub-delims are rejected.
func IsHost(host []byte) bool {
	if len(host) > 0 && host[0] == '[' {
		end := bytes.IndexByte(host, ']')
		return end > 0 && validIPv6(host[1:end]) && validPort(host[end+1:])
	}
	end := scan(host, 0, classHost)
	return 0 < end && end <= maxHost && !hasEmptyLabel(host[:end]) && validPort(host[end:])
}

// hasEmptyLabel reports whether a label other than the last one is empty. Recipients interpret such names
// differently.
func hasEmptyLabel(name []byte) bool { return name[0] == '.' || bytes.Contains(name, twoDots) }

var twoDots = []byte("..")

// validPort validates an optional port with its colon.
func validPort(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	if text[0] != ':' || len(text) < 2 || len(text) > 6 {
		return false
	}
	port := 0
	for _, b := range text[1:] {
		if b < '0' || b > '9' {
			return false
		}
		port = port*10 + int(b-'0')
	}
	return port <= 65535
}

// validIPv6 validates an IPv6 address. It allocates; hot paths use names.
func validIPv6(text []byte) bool {
	if len(text) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") || bytes.IndexByte(text, '%') >= 0 {
		return false
	}
	addr, err := netip.ParseAddr(string(text))
	return err == nil && addr.Is6()
}
