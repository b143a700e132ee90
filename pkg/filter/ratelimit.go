package filter

import (
	"net/netip"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// RateLimit refuses requests of clients that send too many. A client is an address.
type RateLimit struct {
	model    *model.RateLimit
	limiter  *clientLimiter
	quota    quota
	exempt   []netip.Prefix
	ipv6Bits int
	tooFast  *Response
	tooMany  *Response
}

// NewRateLimit returns a filter with this limit, or nil if m is nil. Filters of one object share the state of clients.
func NewRateLimit(m *model.RateLimit) Filter {
	if m == nil {
		return nil
	}
	return &RateLimit{
		model: m, limiter: limiters.get(m.Source),
		quota: quota{
			second:      newRate(m.PerSecond, time.Second, m.Burst),
			minute:      newRate(m.PerMinute, time.Minute, m.Burst),
			connections: int32(m.Connections), isShared: m.IsShared,
		},
		exempt: m.Exempt, ipv6Bits: m.IPv6PrefixLength,
		tooFast: NewText(m.Status, "There are too many requests from this address."),
		tooMany: NewText(m.ConnectionStatus, "There are too many requests in progress from this address."),
	}
}

// Name implements Filter.
func (*RateLimit) Name() string { return "rate-limit" }

// FilterRequest implements RequestFilter. A described request is not counted.
func (f *RateLimit) FilterRequest(r *Request) *Response {
	if !r.ClientIP.IsValid() || r.IsDescribed || f.isExempt(r.ClientIP) {
		return nil
	}
	key := f.key(r.ClientIP)
	switch f.limiter.admit(&key, &f.quota, f.limiter.now()) {
	case tooFast:
		return f.tooFast
	case tooMany:
		return f.tooMany
	}
	if f.quota.isShared && r.Shared != nil {
		r.Shared.Limits.use(f.limiter)
	}
	if f.quota.connections > 0 {
		r.held = Held{f.limiter, key}
	}
	return nil
}

func (f *RateLimit) isExempt(client netip.Addr) bool {
	for i := range f.exempt {
		if f.exempt[i].Contains(client) {
			return true
		}
	}
	return false
}

// key returns the key of a client. Its address has no zone, and is not an IPv4-mapped IPv6 address.
func (f *RateLimit) key(client netip.Addr) clientKey {
	if client.Is6() && f.ipv6Bits < 128 {
		if prefix, err := client.Prefix(f.ipv6Bits); err == nil {
			client = prefix.Addr()
		}
	}
	return client.As16()
}

// Held is a connection of a client that a filter counts until the request ends. The zero value counts nothing.
type Held struct {
	limiter *clientLimiter
	key     clientKey
}

// Release must be called once, when the request has ended.
func (h *Held) Release() {
	if h.limiter != nil {
		h.limiter.release(&h.key)
		h.limiter = nil
	}
}

// ResponseRate limits the bandwidth of responses. Exchange paces the body.
type ResponseRate struct{ model *model.ResponseRate }

// NewResponseRate returns a filter with this limit, or nil if m is nil.
func NewResponseRate(m *model.ResponseRate) Filter {
	if m == nil {
		return nil
	}
	return ResponseRate{m}
}

// Name implements Filter.
func (ResponseRate) Name() string { return "response-rate" }

// FilterRequest implements RequestFilter.
func (f ResponseRate) FilterRequest(r *Request) *Response {
	r.ResponseRate = f.model
	return nil
}
