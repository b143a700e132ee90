package filter

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// authDecision is the response of a service that authenticates clients, without what is not used. It is immutable.
type authDecision struct {
	status     int
	fields     [][]byte // the values of model.ExternalAuth.ResponseHeaders, empty for a missing field
	cookies    [][]byte // the values of Set-Cookie
	challenges [][]byte // the values of WWW-Authenticate
	// isPrivate forbids the cache to keep the decision. maxAge bounds the time, unless it is negative.
	isPrivate bool
	maxAge    time.Duration
}

var errAuthField = errors.New("the service sent an invalid header field")

// newAuthDecision returns the decision in a response. names are the fields for pods. A value that cannot be forwarded is an
// error.
func newAuthDecision(resp *Subresponse, names []string) (*authDecision, error) {
	d := &authDecision{status: resp.Status, maxAge: -1, fields: make([][]byte, len(names))}
	for i, name := range names {
		d.fields[i] = []byte(strings.Join(resp.Header.Values(name), ", "))
		if !http1.IsFieldValue(d.fields[i]) {
			return nil, errAuthField
		}
	}
	var ok, alsoOK bool
	d.cookies, ok = validValues(resp.Header.Values("Set-Cookie"))
	d.challenges, alsoOK = validValues(resp.Header.Values("Www-Authenticate"))
	if !ok || !alsoOK {
		return nil, errAuthField
	}
	d.readCacheControl(resp.Header)
	return d, nil
}

func validValues(texts []string) (values [][]byte, ok bool) {
	for _, text := range texts {
		if !http1.IsFieldValue([]byte(text)) {
			return nil, false
		}
		values = append(values, []byte(text))
	}
	return values, true
}

// readCacheControl reads what the service says about caches. Like nginx, the cache does not keep decisions with cookies.
func (d *authDecision) readCacheControl(header http.Header) {
	d.isPrivate = len(d.cookies) > 0 || header.Get("Vary") == "*"
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(header.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache", "private":
			d.isPrivate = true
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			d.maxAge = time.Duration(seconds) * time.Second
			d.isPrivate = d.isPrivate || err != nil
		}
	}
}

// cacheTime returns how long a decision may be kept. Zero means not at all.
func (f *ExternalAuth) cacheTime(d *authDecision) time.Duration {
	if d.isPrivate {
		return 0
	}
	for _, t := range f.model.CacheTimes {
		switch {
		case t.Status != d.status:
		case d.maxAge >= 0:
			return min(t.For, d.maxAge)
		default:
			return t.For
		}
	}
	return 0
}

// Bounds of the cache.
const (
	maxAuthDecisions     = 16 << 10
	maxAuthCacheBytes    = 8 << 20
	maxAuthDecisionBytes = 4 << 10
)

type authKey = [sha256.Size]byte

func authKeyOf(text []byte) authKey { return sha256.Sum256(text) }

// AuthCache keeps decisions for a short time. The zero value is empty. It is safe for concurrent use.
type AuthCache struct {
	mu      sync.Mutex
	entries map[authKey]authEntry
	bytes   int
}

type authEntry struct {
	decision *authDecision
	until    time.Time
}

// get returns a decision, or nil.
func (c *AuthCache) get(key authKey, now time.Time) *authDecision {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok && now.Before(e.until) {
		return e.decision
	}
	return nil
}

// put keeps a decision, unless it is too large. A full cache drops what has expired, and then any others.
func (c *AuthCache) put(key authKey, d *authDecision, until time.Time) {
	size := d.size()
	if size > maxAuthDecisionBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[authKey]authEntry{}
	}
	c.remove(key)
	if len(c.entries) >= maxAuthDecisions || c.bytes+size > maxAuthCacheBytes {
		c.makeRoom()
	}
	c.entries[key] = authEntry{d, until}
	c.bytes += size
}

// makeRoom drops expired entries, and others until an eighth is free.
func (c *AuthCache) makeRoom() {
	now := time.Now()
	for key, e := range c.entries {
		if now.After(e.until) {
			c.remove(key)
		}
	}
	for key := range c.entries {
		if len(c.entries) <= maxAuthDecisions*7/8 && c.bytes <= maxAuthCacheBytes*7/8 {
			return
		}
		c.remove(key)
	}
}

func (c *AuthCache) remove(key authKey) {
	if e, ok := c.entries[key]; ok {
		c.bytes -= e.decision.size()
		delete(c.entries, key)
	}
}

// size estimates the memory of an entry in bytes.
func (d *authDecision) size() int {
	const overhead = 200
	size := overhead
	for _, values := range [][][]byte{d.fields, d.cookies, d.challenges} {
		for _, value := range values {
			size += len(value) + 24
		}
	}
	return size
}
