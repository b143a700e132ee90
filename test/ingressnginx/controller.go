package ingressnginx

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"
)

// Backend has the annotations of an Ingress for one of its hosts, and the name that ingress-nginx uses for the Service.
type Backend struct {
	// Name is "<namespace>-<service>-<port as the Ingress names it>".
	Name string
	// Balanced is affinity-mode balanced. If it is false, the mode is persistent.
	Balanced bool
	// Cookie is session-cookie-name.
	Cookie string
}

// Controller is an HTTP handler that sends requests to pods like ingress-nginx. It is safe for concurrent use.
type Controller struct {
	proxy *httputil.ReverseProxy

	mu    sync.RWMutex
	hosts map[string]*balancer
}

// balancer is the immutable state of one host.
type balancer struct {
	Backend
	addresses []string
	ring      ring
}

// New returns a Controller without hosts.
func New() *Controller {
	c := &Controller{hosts: map[string]*balancer{}}
	c.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", r.In.Header.Get(pickedHeader), r.In.Host
			r.Out.Header.Del(pickedHeader)
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second},
	}
	return c
}

// pickedHeader carries the address of the pod from ServeHTTP to the proxy.
const pickedHeader = "X-Picked-Pod"

// Serve makes the Controller serve a host from pods with these addresses, ip:port, which are all that are ready.
func (c *Controller) Serve(host string, b Backend, addresses []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hosts[host] = &balancer{Backend: b, addresses: addresses, ring: newRing(addresses)}
}

// ServeHTTP sends the request to the pod that its cookie names. Without one, it picks a pod and sets the cookie.
func (c *Controller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.RLock()
	b := c.hosts[r.Host]
	c.mu.RUnlock()
	if b == nil || len(b.addresses) == 0 {
		http.Error(w, "no endpoints", http.StatusServiceUnavailable)
		return
	}
	address := b.find(b.keyOf(r))
	if address == "" {
		var key string
		address, key = b.pick()
		http.SetCookie(w, &http.Cookie{Name: b.Cookie, Value: key + "|" + b.mark(), Path: "/", HttpOnly: true})
	}
	r.Header.Set(pickedHeader, address)
	c.proxy.ServeHTTP(w, r)
}

// keyOf returns the first part of the cookie, "" without a cookie. Of several cookies, the last one is used.
func (b *balancer) keyOf(r *http.Request) (key string) {
	for _, cookie := range r.CookiesNamed(b.Cookie) {
		key, _, _ = strings.Cut(cookie.Value, "|")
	}
	return key
}

// find returns the address for a key, or "" for an unknown key. In balanced mode every key has one.
func (b *balancer) find(key string) string {
	if key == "" {
		return ""
	}
	if b.Balanced {
		return b.ring.find(key)
	}
	for _, address := range b.addresses {
		if md5Hex(b.Name+address) == key {
			return address
		}
	}
	return ""
}

// pick returns the address for a new client, and the key for its cookie.
func (b *balancer) pick() (address, key string) {
	if b.Balanced {
		key = fmt.Sprintf("%.3f.%d.%d", float64(time.Now().UnixMilli())/1000, 31, 1+rand.IntN(999999))
		return b.ring.find(key), key
	}
	address = b.addresses[rand.IntN(len(b.addresses))]
	return address, md5Hex(b.Name + address)
}

// mark is the part of the cookie that names the backend.
func (b *balancer) mark() string { return md5Hex(md5Hex(b.Name) + b.Name) }

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
