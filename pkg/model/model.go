package model

import (
	"fmt"
)

// The kinds of the objects that Refs name.
const (
	KindIngress   = "Ingress"
	KindService   = "Service"
	KindSecret    = "Secret"
	KindConfigMap = "ConfigMap"
	KindPod       = "Pod"
)

// Ref names one Kubernetes object. Namespace is empty for a cluster-scoped object.
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String returns the form "Ingress shop/cart".
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Model is the configuration of the data plane, except for the endpoints.
type Model struct {
	// Routes are sorted by host, then path, then path type. Routes with the same three differ in their Conditions, and are in
	// the order in which ties are decided: the oldest first.
	Routes []Route `json:"routes,omitempty"`
	// Pools are the pools to which the routes refer, sorted by ID, without duplicates.
	Pools []Pool `json:"pools,omitempty"`
	// Hosts are sorted by name. Other hosts use the settings of the flags.
	Hosts []Host `json:"hosts,omitempty"`
	// Certificates are sorted by Secret. For each server name there is at most one certificate of each algorithm.
	Certificates []Certificate `json:"certificates,omitempty"`
	// DefaultCertificateFor lists hosts, sorted, that use the default certificate although a wildcard certificate
	// covers them. That certificate belongs to another namespace.
	DefaultCertificateFor []string `json:"defaultCertificateFor,omitempty"`
	// Owners are sorted by host. Other hosts have routes of only one namespace.
	Owners []HostOwner `json:"owners,omitempty"`
}

// HostOwner names the namespace that owns a host for which other namespaces have routes too. Those can be routes for
// the host itself, for the wildcard above it, or for any host.
type HostOwner struct {
	// Host has the form of Route.Host.
	Host string `json:"host,omitempty"`
	// Namespace is the namespace whose routes receive ACME challenges for the host.
	Namespace string `json:"namespace"`
	// ACMENamespaces are further namespaces whose routes for ACME challenges receive them. Callers must not modify it.
	ACMENamespaces []string `json:"acmeNamespaces,omitempty"`
	// SharesUnmatched passes requests that no route of the host matches to the routes of any namespace. If it is
	// false, only routes of Namespace receive them.
	SharesUnmatched bool `json:"sharesUnmatched,omitempty"`
}

// PathType is the way in which Route.Path is compared, as in networking.k8s.io/v1 Ingress.
type PathType string

// The path types. ImplementationSpecific is translated to Prefix, as in ingress-nginx.
const (
	PathExact  PathType = "Exact"
	PathPrefix PathType = "Prefix" // by path segment: /a matches /a and /a/b, but not /ab
	// PathPattern is a regular expression (RE2) for the decoded path, in which one slash replaces several. It ignores case and
	// matches at the start of the path, so /a matches /a, /A/b and /ab.
	PathPattern PathType = "Pattern"
)

// HostUnmatched is the host of the route for requests that no other route matches.
const HostUnmatched = "*"

// Route is one host and path, and the destination of its requests.
type Route struct {
	// Host is in lower case: "" for any host, "shop.example.com", "*.example.com" for exactly one more label, or HostUnmatched.
	Host     string   `json:"host,omitempty"`
	Path     string   `json:"path"`
	PathType PathType `json:"pathType"`
	// Conditions are further ones for a request to match. Nil means none, as for all routes of Ingresses.
	Conditions *Conditions `json:"conditions,omitempty"`
	// Source is the object that contains the route.
	Source Ref `json:"source"`
	// Backends are the weighted destinations. If it is empty, no destination could be resolved, and requests receive a
	// 503 response.
	Backends []Backend `json:"backends,omitempty"`
	// Fallback serves the requests when no backend has endpoints. Nil means that nothing does.
	Fallback *Backend `json:"fallback,omitempty"`
	// Closed is the reason why all requests of the route are denied with 503, regardless of Backends. Empty if the
	// route is served.
	Closed string `json:"closed,omitempty"`
	// Clients are the required client certificates, or nil. They equal those of the Host. Otherwise no client can use
	// the route.
	Clients *ClientCertificates `json:"clients,omitempty"`
	// TransportSecurity is the Strict-Transport-Security of responses over TLS. If it is empty, the field of the app
	// is kept.
	TransportSecurity string `json:"transportSecurity,omitempty"`
	// Canary selects one of the two Backends by properties of the request. Nil disables it.
	Canary *Canary `json:"canary,omitempty"`
	// Limits overrides the limits of the flags. Nil keeps them.
	Limits *Limits `json:"limits,omitempty"`
	// IsUnlogged leaves the requests of the route out of the access log.
	IsUnlogged bool `json:"isUnlogged,omitempty"`
	// Filters are the filters that the route uses. Nil means none.
	Filters *Filters `json:"filters,omitempty"`
	// UpgradeProtocols are the protocols, besides WebSocket, to which clients may upgrade HTTP/1.1 connections. Callers must
	// not modify it.
	UpgradeProtocols []string `json:"upgradeProtocols,omitempty"`
}

// Canary lets a request select the second Backend of a Route, which is the canary, or the first. The selection
// overrides weights and sessions. The header takes precedence over the cookie.
type Canary struct {
	// Header is in canonical form. Its value "always" selects the canary, "never" the other backend. Empty disables
	// it.
	Header string `json:"header,omitempty"`
	// Value is the header value that selects the canary, instead of "always". No value selects the other backend then.
	Value string `json:"value,omitempty"`
	// Pattern is a regular expression (RE2) for header values that select the canary. It may match anywhere in the
	// value.
	Pattern string `json:"pattern,omitempty"`
	// Cookie is the cookie whose value is "always" or "never". Empty disables it.
	Cookie string `json:"cookie,omitempty"`
}

// Backend is one weighted destination of a Route.
type Backend struct {
	Pool PoolID `json:"pool"`
	// Weight is this backend's share of the sum of all weights of the route. With weight zero, it receives no new
	// clients.
	Weight int32 `json:"weight"`
	// Transport configures the connections to the pods.
	Transport Transport `json:"transport,omitzero"`
	// Affinity is nil if requests are distributed without affinity.
	Affinity *Affinity `json:"affinity,omitempty"`
	// Balance distributes requests without affinity. Empty means PickRandom.
	Balance Pick `json:"balance,omitempty"`
	// Ejection takes pods out of the pool whose requests fail. Nil means that of the Affinity, otherwise DefaultEjection.
	Ejection *Ejection `json:"ejection,omitempty"`
	// RequestLimits bounds the active requests. Nil means that of the Affinity, and otherwise sets no bound.
	RequestLimits *RequestLimits `json:"requestLimits,omitempty"`
	// Reserved lists the request headers that clients must not set, because apps of the namespace believe them: those of every
	// Handoff. Callers must not modify it.
	Reserved []string `json:"reserved,omitempty"`
}

// Transport configures the connections to the pods of a Backend. The zero value is cleartext HTTP/1.1. Backends with
// equal Transports share connections.
type Transport struct {
	// HTTP2 enables HTTP/2, with prior knowledge (RFC 9113 section 3.3) or negotiated by ALPN.
	HTTP2 bool `json:"http2,omitempty"`
	TLS   bool `json:"tls,omitempty"`
	// ServerName is sent in the TLS handshake. If the certificate is verified, it must be valid for this name.
	ServerName string `json:"serverName,omitempty"`
	// Authority is the Secret with the CA certificates that verify the pods. If it is empty, any certificate is
	// accepted.
	Authority Ref `json:"authority,omitzero"`
	// AuthorityPEM contains these CA certificates.
	AuthorityPEM string `json:"-"`
	// MaxChain is the maximum number of certificates in a verified chain, with the certificate of the pod and the CA. Zero sets
	// no maximum.
	MaxChain int `json:"maxChain,omitempty"`
	// MinVersion is the lowest version of TLS, as in crypto/tls. Zero means TLS 1.2.
	MinVersion uint16 `json:"minVersion,omitempty"`
	// Certificate is the Secret with the certificate that is presented to pods. If it is empty, none is presented.
	Certificate Ref `json:"certificate,omitzero"`
	// CertificatePEM and KeyPEM contain that certificate and its key.
	CertificatePEM string     `json:"-"`
	KeyPEM         PrivateKey `json:"-"`
	// ProxyProtocol is the version of the PROXY protocol header that is sent to pods. Zero disables it.
	ProxyProtocol int `json:"proxyProtocol,omitempty"`
}

// PrivateKey is a private key in PEM. It must not be printed: String and GoString hide it.
type PrivateKey string

// String implements fmt.Stringer.
func (PrivateKey) String() string { return "(hidden)" }

// GoString implements fmt.GoStringer.
func (PrivateKey) GoString() string { return "(hidden)" }

// PoolID names a Pool: one port of one Service.
type PoolID struct {
	Namespace string `json:"namespace"`
	Service   string `json:"service"`
	// Port is the number of the Service port. A backend may refer to it by number or by name.
	Port int32 `json:"port"`
	// IsService marks the pool whose only endpoint is the Service itself.
	IsService bool `json:"isService,omitempty"`
}

// String returns the form "shop/cart:80", which commands and logs use. The form of a Service itself is "shop/cart:80/service".
func (id PoolID) String() string {
	text := fmt.Sprintf("%s/%s:%d", id.Namespace, id.Service, id.Port)
	if id.IsService {
		text += "/service"
	}
	return text
}

// Pool describes one Service port, without its endpoints.
type Pool struct {
	ID PoolID `json:"id"`
	// PortName is the name of the Service port, which EndpointSlice ports must match. It is empty for an unnamed port.
	PortName string `json:"portName,omitempty"`
	// ExternalName is the DNS name of a Service of that type. Such a pool has one endpoint and no EndpointSlice.
	ExternalName string `json:"externalName,omitempty"`
	// ClusterIP is the address of the Service, if ID.IsService is true. Such a pool has one endpoint and no EndpointSlice.
	ClusterIP string `json:"clusterIP,omitempty"`
	// Names are the pod labels and annotations that policies use to name pods, sorted.
	Names []Identity `json:"names,omitempty"`
}

// EndpointState defines which requests an endpoint accepts.
type EndpointState string

const (
	// EndpointReady accepts new sessions.
	EndpointReady EndpointState = "Ready"
	// EndpointDraining keeps its sessions but accepts no new ones. The pod is terminating and still serving, or an
	// operator drains it.
	EndpointDraining EndpointState = "Draining"
	// EndpointNotReady accepts no requests. The pod is neither ready nor terminating, and it may become ready again.
	EndpointNotReady EndpointState = "NotReady"
	// EndpointEjected accepts no requests either, because they failed or a health check did. Only this replica decides that.
	// Kubernetes considers the pod ready.
	EndpointEjected EndpointState = "Ejected"
)

// Endpoint is one pod address and port behind a Service.
type Endpoint struct {
	// ID is the pod's UID, or the address if there is no pod. Sessions are bound to it.
	ID string `json:"id"`
	// Pod is the pod's name, empty if there is no pod.
	Pod string `json:"pod,omitempty"`
	// Address is the dial address: "10.0.0.7:8080", "[fd00::7]:8080", or "db.example.com:80" for an ExternalName.
	Address string `json:"address"`
	Zone    string `json:"zone,omitempty"`
	// ForZones are the zones in the hints of the EndpointSlice, joined by commas. It is empty if there are no hints.
	ForZones string        `json:"forZones,omitempty"`
	State    EndpointState `json:"state"`
	// Names are the pod's values for the Names of its pool. Callers must not modify it.
	Names map[Identity]string `json:"names,omitempty"`
}
