package filter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"hash"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// Limits of the verification of passwords.
const (
	// verifiedFor limits how long a verified password is remembered after its last use.
	verifiedFor = 5 * time.Minute
	maxVerified = 16_384
	// verifyWait is the maximum time that a request waits for others whose passwords are being verified.
	verifyWait  = 5 * time.Second
	maxWaiting  = 256
	maxFailures = 20          // of one client, before it has to wait
	forgetEvery = time.Second // how often one of them is forgotten
	maxClients  = 16_384
)

// Credentials is the state of authentication that outlives routing tables: which passwords were verified recently, how many
// are being verified, and which clients failed. It is safe for concurrent use.
//
// Verifying a password is expensive on purpose. So the passwords that were verified are remembered as keyed hashes, few are
// verified at the same time, and a client that fails too often has to wait.
type Credentials struct {
	// NonceKeys returns the keys that authenticate the nonces of digest authentication: the first one makes them. All replicas
	// have the same keys.
	NonceKeys func() [][32]byte

	slots   chan struct{} // one element for each verification in progress
	waiting chan struct{} // one element for each verification in progress or waiting
	scratch sync.Pool     // of *scratch

	mu       sync.Mutex
	verified map[credentialKey]time.Time // when it is forgotten
	flights  map[credentialKey]*flight   // verifications in progress
	failures map[netip.Prefix]time.Time  // when all failures of a client are forgotten

	nonces nonceUses
}

type credentialKey [sha256.Size]byte

// flight is a verification in progress. Requests with the same password wait for its result.
type flight struct {
	done   chan struct{}
	result outcome // valid once done is closed
}

// scratch is the memory for one request.
type scratch struct {
	mac     hash.Hash
	decoded [maxCredentials]byte
	sum     [sha256.Size]byte
}

// NewCredentials returns an empty state.
func NewCredentials(nonceKeys func() [][32]byte) *Credentials {
	var key [sha256.Size]byte
	_, _ = rand.Read(key[:]) // never fails
	return &Credentials{
		NonceKeys: nonceKeys,
		slots:     make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		waiting:   make(chan struct{}, maxWaiting),
		scratch:   sync.Pool{New: func() any { return &scratch{mac: hmac.New(sha256.New, key[:])} }},
		verified:  map[credentialKey]time.Time{},
		flights:   map[credentialKey]*flight{},
		failures:  map[netip.Prefix]time.Time{},
	}
}

// isBlocked reports whether a client failed too often.
func (c *Credentials) isBlocked(client netip.Addr, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hasFailed(clientNetwork(client), now)
}

// recordFailure records that a client sent wrong credentials.
func (c *Credentials) recordFailure(client netip.Addr, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addFailure(clientNetwork(client), now)
}

// outcome is the result of a verification.
type outcome uint8

const (
	outcomeWrong   outcome = iota // the password is wrong, or there is no such user
	outcomeRight                  // the password is right
	outcomeTooMany                // the client failed too often
	outcomeBusy                   // too many passwords are being verified
)

// isVerified reports whether a password was verified recently, and remembers it for longer.
func (c *Credentials) isVerified(key credentialKey, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, ok := c.verified[key]
	if !ok || now.After(until) {
		delete(c.verified, key)
		return false
	}
	if until.Sub(now) < verifiedFor/2 {
		c.verified[key] = now.Add(verifiedFor)
	}
	return true
}

// verify runs check, which reports whether a password is right, unless the client failed too often. Concurrent calls for the
// same key run one check. A slow check waits until few others run.
func (c *Credentials) verify(key credentialKey, client netip.Addr, isSlow bool, now time.Time, check func() bool) outcome {
	network := clientNetwork(client)
	c.mu.Lock()
	if c.hasFailed(network, now) {
		c.mu.Unlock()
		return outcomeTooMany
	}
	f := c.flights[key]
	if f != nil {
		c.mu.Unlock()
		<-f.done // bounded: a check does no I/O, and its wait for a slot is bounded
		return f.result
	}
	f = &flight{done: make(chan struct{})}
	c.flights[key] = f
	c.mu.Unlock()
	defer c.finish(f, key, network, now)
	f.result = c.run(isSlow, check)
	return f.result
}

// finish records the result of a verification, and releases the requests that wait for it.
func (c *Credentials) finish(f *flight, key credentialKey, client netip.Prefix, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flights, key)
	close(f.done)
	switch f.result {
	case outcomeRight:
		makeRoom(c.verified, maxVerified)
		c.verified[key] = now.Add(verifiedFor)
	case outcomeWrong:
		c.addFailure(client, now)
	}
}

// run runs check, in a slot if it is slow.
func (c *Credentials) run(isSlow bool, check func() bool) outcome {
	if isSlow {
		if !c.acquire() {
			return outcomeBusy
		}
		defer c.release()
	}
	if check() {
		return outcomeRight
	}
	return outcomeWrong
}

// acquire waits for a slot. It returns false if too many others wait, or for too long.
func (c *Credentials) acquire() bool {
	select {
	case c.waiting <- struct{}{}:
	default:
		return false
	}
	timer := time.NewTimer(verifyWait)
	defer timer.Stop()
	select {
	case c.slots <- struct{}{}:
		return true
	case <-timer.C:
		<-c.waiting
		return false
	}
}

func (c *Credentials) release() {
	<-c.slots
	<-c.waiting
}

// clientNetwork returns what counts as one client: an address, or the network that a provider assigns to one customer.
func clientNetwork(addr netip.Addr) netip.Prefix {
	bits := 64
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		bits = 32
	}
	network, _ := addr.Prefix(bits) // an unknown address is a client of its own
	return network
}

// hasFailed reports whether a client failed too often. c.mu must be held.
func (c *Credentials) hasFailed(client netip.Prefix, now time.Time) bool {
	return c.failures[client].Sub(now) > (maxFailures-1)*forgetEvery
}

// addFailure records that a client failed. c.mu must be held.
func (c *Credentials) addFailure(client netip.Prefix, now time.Time) {
	at := c.failures[client]
	if at.Before(now) {
		makeRoom(c.failures, maxClients)
		at = now
	}
	c.failures[client] = at.Add(forgetEvery)
}

// makeRoom removes an arbitrary entry from a full map.
func makeRoom[K comparable](m map[K]time.Time, size int) {
	if len(m) < size {
		return
	}
	for key := range m {
		delete(m, key)
		return
	}
}
