package admin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of reviews.
const (
	// reviewLifetime is the time for which a result counts. A right that is withdrawn ends within this time.
	reviewLifetime = 10 * time.Second
	// reviewTimeout bounds a review, including the time that it waits for others.
	reviewTimeout = 5 * time.Second
	// maxReviews is the number of results that are kept.
	maxReviews = 256
	// concurrentReviews is the number of reviews at the same time.
	concurrentReviews = 4
	// maxReviewed is the size of the longest token that is reviewed. Tokens of ServiceAccounts have about 1 KB.
	maxReviewed = 8 << 10
)

// errBusy is returned for tokens while too many others are being reviewed.
var errBusy = errors.New("admin: too many tokens are being reviewed")

// errNotReviewed is the result of a review that panicked.
var errNotReviewed = errors.New("admin: the review of the token failed")

// Reviews returns the callers of tokens that another party knows, such as the API server. It requests the review of a token at
// most once in 10 seconds, about at most 4 tokens at a time, and only about tokens that may be valid: JSON Web Tokens that have
// not expired and that have Audience. It remembers hashes of tokens, under a key of its own. Failures are not remembered.
type Reviews struct {
	// Audience is for whom tokens must be issued.
	Audience string
	// Lookup returns the caller of a token, or the zero value for an unknown token.
	Lookup func(ctx context.Context, token string) (Caller, error)

	once  sync.Once
	key   [sha256.Size]byte
	slots chan struct{}
	now   func() time.Time // time.Now if nil

	mu      sync.Mutex
	results map[[sha256.Size]byte]*review
}

// review is the review of a token.
type review struct {
	done    chan struct{} // closed when the fields below are set
	caller  Caller
	err     error
	expires time.Time // guarded by Reviews.mu; zero until it is done
}

// Review returns the caller of a token. It implements Access.Review.
func (v *Reviews) Review(ctx context.Context, token string) (Caller, error) {
	v.once.Do(v.init)
	if !v.isCandidate(token) {
		return Caller{}, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reviewTimeout) // others may wait for the result
	defer cancel()
	mac := hmac.New(sha256.New, v.key[:])
	mac.Write([]byte(token))
	key := [sha256.Size]byte(mac.Sum(nil))
	r, isFirst := v.join(key)
	if isFirst {
		v.review(ctx, key, r, token)
	}
	select {
	case <-r.done:
		return r.caller, r.err
	case <-ctx.Done():
		return Caller{}, ctx.Err()
	}
}

func (v *Reviews) init() {
	_, _ = rand.Read(v.key[:]) // does not fail
	v.slots = make(chan struct{}, concurrentReviews)
	v.results = map[[sha256.Size]byte]*review{}
	if v.now == nil {
		v.now = time.Now
	}
}

// review sets the result of r. It also ends a review that panics, for those that wait for it.
func (v *Reviews) review(ctx context.Context, key [sha256.Size]byte, r *review, token string) {
	r.err = errNotReviewed
	defer v.finish(key, r)
	r.caller, r.err = v.lookup(ctx, token)
}

// lookup calls Lookup when few others are being reviewed.
func (v *Reviews) lookup(ctx context.Context, token string) (Caller, error) {
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return Caller{}, errBusy
	}
	defer func() { <-v.slots }()
	return v.Lookup(ctx, token)
}

// join returns the review of a token that is valid or being done. If there is none, it adds one, which the caller must finish.
func (v *Reviews) join(key [sha256.Size]byte) (r *review, isFirst bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	if r := v.results[key]; r != nil && (r.expires.IsZero() || now.Before(r.expires)) {
		return r, false
	}
	if len(v.results) >= maxReviews {
		v.evict(now)
	}
	r = &review{done: make(chan struct{})}
	v.results[key] = r
	return r, true
}

// evict removes the results that have expired, and at least one. v.mu must be held.
func (v *Reviews) evict(now time.Time) {
	removed := false
	for key, r := range v.results {
		if !r.expires.IsZero() && !now.Before(r.expires) {
			delete(v.results, key)
			removed = true
		}
	}
	for key := range v.results {
		if removed {
			return
		}
		delete(v.results, key)
		removed = true
	}
}

// finish makes the result of a review known. A failure counts only for those that wait for it.
func (v *Reviews) finish(key [sha256.Size]byte, r *review) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r.expires = v.now().Add(reviewLifetime)
	if r.err != nil && v.results[key] == r {
		delete(v.results, key)
	}
	close(r.done)
}

// isCandidate reports whether a token may be valid, by what it claims. It spares the other party tokens that are not.
func (v *Reviews) isCandidate(token string) bool {
	parts := strings.Split(token, ".")
	if len(token) > maxReviewed || len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Audience audiences `json:"aud"`
		Expires  float64   `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return false
	}
	return slices.Contains(claims.Audience, v.Audience) && claims.Expires > float64(v.now().Unix())
}

// audiences is the claim aud: a string or a list.
type audiences []string

func (a *audiences) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}
