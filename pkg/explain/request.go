package explain

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Request describes what to explain: a request, a session token, or both.
type Request struct {
	// URL is an absolute http or https URL. It may be empty if Token is set.
	URL string `json:"url,omitempty"`
	// Method is the request method. The default is GET.
	Method string `json:"method,omitempty"`
	// Headers are fields of the form "Name: value".
	Headers []string `json:"headers,omitempty"`
	// Cookies are pairs of the form "name=value".
	Cookies []string `json:"cookies,omitempty"`
	// SourceIP is the address of the peer. The default is 203.0.113.1, an address for documentation.
	SourceIP string `json:"sourceIP,omitempty"`
	// Token is the value of a cookie or header that Limpet issued.
	Token string `json:"token,omitempty"`
	// WithoutPods are names of pods to leave out, as if they were deleted.
	WithoutPods []string `json:"withoutPods,omitempty"`
	// Scale are Services with numbers of endpoints, such as "shop/cart=5", as if they were scaled to them. Added endpoints have
	// made-up names and addresses. If there are fewer, those whose names sort first are kept.
	Scale []string `json:"scale,omitempty"`
	// After is added to the current time, as a duration such as "2h". The default is 0.
	After string `json:"after,omitempty"`
}

// MaxBytes bounds the JSON form of a Request.
const MaxBytes = 256 << 10

var defaultPeer = netip.MustParseAddr("203.0.113.1")

// time returns the time that the request describes.
func (r *Request) time(now time.Time) (time.Time, error) {
	after, err := time.ParseDuration(cmp.Or(r.After, "0"))
	if err != nil || after < 0 {
		return now, fmt.Errorf("explain: invalid after %q: must be a duration such as 2h", r.After)
	}
	return now.Add(after), nil
}

// describe returns the request for the engine.
func (r *Request) describe(hosts filter.Hosts, at time.Time) (*exchange.Description, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("explain: invalid URL %q: must be such as https://shop.example.com/cart", r.URL)
	}
	d := &exchange.Description{Method: r.Method, Host: u.Host, Target: targetOf(u), Peer: defaultPeer, Time: at}
	if r.SourceIP != "" {
		if d.Peer, err = netip.ParseAddr(r.SourceIP); err != nil {
			return nil, fmt.Errorf("explain: invalid source IP %q: must be an IP address", r.SourceIP)
		}
	}
	if d.Header, err = r.header(); err != nil {
		return nil, err
	}
	if u.Scheme == "https" {
		name := strings.ToLower(u.Hostname())
		d.TLS = &filter.TLSSession{ServerName: name, Version: model.TLS13, Host: hosts.TLS([]byte(name))}
	}
	return d, nil
}

func targetOf(u *url.URL) string {
	target := cmp.Or(u.EscapedPath(), "/")
	if u.RawQuery != "" || u.ForceQuery {
		target += "?" + u.RawQuery
	}
	return target
}

// header returns the header fields. Cookies become one Cookie field.
func (r *Request) header() (http.Header, error) {
	h := http.Header{}
	for _, field := range r.Headers {
		name, value, found := strings.Cut(field, ":")
		if !found || name == "" {
			return nil, fmt.Errorf("explain: invalid header %q: must have the form Name: value", field)
		}
		if strings.EqualFold(name, "Host") {
			return nil, errors.New("explain: invalid header Host: set the host in the URL")
		}
		h.Add(name, strings.TrimSpace(value))
	}
	for _, cookie := range r.Cookies {
		if name, _, found := strings.Cut(cookie, "="); !found || name == "" {
			return nil, errors.New("explain: invalid cookie: must have the form name=value")
		}
	}
	if len(r.Cookies) > 0 {
		h.Add("Cookie", strings.Join(r.Cookies, "; "))
	}
	return h, nil
}
