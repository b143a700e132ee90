package model

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// The kinds of the objects that Refs name.
const (
	KindIngress = "Ingress"
	KindService = "Service"
	KindSecret  = "Secret"
)

// Ref names one Kubernetes object. Namespace is empty for a cluster-scoped one.
type Ref struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String gives "Ingress shop/cart".
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Model is everything the data plane serves, apart from the endpoints.
type Model struct {
	// Routes are sorted by host, then path, then path type. Those that have the same three differ in their Conditions, and
	// are in the order in which ties are decided: the oldest first.
	Routes []Route `json:"routes,omitempty"`
	// Pools are all pools that the routes name, sorted by ID, each once.
	Pools []Pool `json:"pools,omitempty"`
	// Hosts are sorted by name. A host that is not among them is served as the flags say.
	Hosts []Host `json:"hosts,omitempty"`
	// Certificates are sorted by Secret. No two of one algorithm serve the same server name.
	Certificates []Certificate `json:"certificates,omitempty"`
	// DefaultCertificateFor are hosts, sorted, that are served with the default certificate although a wildcard's covers
	// them: that one belongs to another namespace.
	DefaultCertificateFor []string `json:"defaultCertificateFor,omitempty"`
	// Owners are sorted by host. A host that is not among them shares its routes with no other namespace.
	Owners []HostOwner `json:"owners,omitempty"`
}

// HostOwner names the namespace that owns a host for which other namespaces have routes as well: routes for the host itself,
// for the wildcard above it, or for any host.
type HostOwner struct {
	// Host is that of Route.Host.
	Host string `json:"host,omitempty"`
	// Namespace is the only one whose routes get ACME challenges for the host.
	Namespace string `json:"namespace"`
	// SharesUnmatched passes requests that no route of the host matches on to the routes of any namespace. False passes them
	// on to those of Namespace only.
	SharesUnmatched bool `json:"sharesUnmatched,omitempty"`
}

// PathType says how Route.Path is compared, as in networking.k8s.io/v1 Ingress.
type PathType string

// The path types. ImplementationSpecific is translated to Prefix.
const (
	PathExact  PathType = "Exact"
	PathPrefix PathType = "Prefix" // by segment: /a matches /a and /a/b, and not /ab
)

// Route is one host and path, and where its requests go.
type Route struct {
	// Host is in lower case: "" for any host, "shop.example.com", or "*.example.com" for exactly one more label.
	Host     string   `json:"host,omitempty"`
	Path     string   `json:"path"`
	PathType PathType `json:"pathType"`
	// Conditions are further ones for a request to match. Nil: there are none, as for all routes of Ingresses.
	Conditions *Conditions `json:"conditions,omitempty"`
	// Source is the object that asked for the route.
	Source Ref `json:"source"`
	// Backends are the weighted destinations. None means that nothing behind the route could be resolved: 503.
	Backends []Backend `json:"backends,omitempty"`
	// Closed says why requests of the route are denied with 503 whatever its Backends are. Empty: they are served.
	Closed string `json:"closed,omitempty"`
	// Clients is what clients must show to reach the route, nil for nothing. It is that of the Host, or else nobody can.
	Clients *ClientCertificates `json:"clients,omitempty"`
	// TransportSecurity is the Strict-Transport-Security of its answers over TLS. Empty: what the app says.
	TransportSecurity string `json:"transportSecurity,omitempty"`
	// Canary says which requests choose between the two Backends by themselves, nil for none.
	Canary *Canary `json:"canary,omitempty"`
	// Limits is nil where those of the flags hold.
	Limits *Limits `json:"limits,omitempty"`
}

// Canary is how a request asks for the second Backend of a Route, which is the canary, or for the first, whatever the
// weights and its session say. The header is asked before the cookie.
type Canary struct {
	// Header in canonical form. Its value "always" asks for the canary, "never" for the other. Empty: none is asked.
	Header string `json:"header,omitempty"`
	// Value is what asks for the canary instead. Nothing asks for the other then.
	Value string `json:"value,omitempty"`
	// Pattern is a regular expression (RE2) for such values. It may match anywhere in one.
	Pattern string `json:"pattern,omitempty"`
	// Cookie whose value is "always" or "never". Empty: none is asked.
	Cookie string `json:"cookie,omitempty"`
}

// Backend is one weighted destination of a Route.
type Backend struct {
	Pool PoolID `json:"pool"`
	// Weight is this backend's share of the sum of all weights of the route. 0 takes no new client.
	Weight int32 `json:"weight"`
	// Transport is how its pods are spoken to.
	Transport Transport `json:"transport,omitzero"`
	// Affinity is nil where requests are spread without stickiness.
	Affinity *Affinity `json:"affinity,omitempty"`
}

// Transport is how the pods of a Backend are spoken to. The zero value is HTTP/1.1 in clear. Two that are equal are the
// same, and share connections.
type Transport struct {
	// HTTP2 says that the pods speak HTTP/2, from the first byte on (RFC 9113 section 3.3) or by ALPN.
	HTTP2 bool `json:"http2,omitempty"`
	TLS   bool `json:"tls,omitempty"`
	// ServerName is asked for in the TLS handshake, and is what a certificate must be made for where it is verified.
	ServerName string `json:"serverName,omitempty"`
	// Authority is the Secret whose certificates those of the pods must lead to. Without one any certificate will do.
	Authority Ref `json:"authority,omitzero"`
	// AuthorityPEM are these certificates.
	AuthorityPEM string `json:"-"`
	// ProxyProtocol is the version of the PROXY protocol in which a pod is told who the client is, 0 for none.
	ProxyProtocol int `json:"proxyProtocol,omitempty"`
}

// PoolID names a Pool: one port of one Service.
type PoolID struct {
	Namespace string `json:"namespace"`
	Service   string `json:"service"`
	// Port is the number of the Service's port, whether the backend named it by number or by name.
	Port int32 `json:"port"`
}

// String gives "shop/cart:80", the form that commands and logs use.
func (id PoolID) String() string {
	return fmt.Sprintf("%s/%s:%d", id.Namespace, id.Service, id.Port)
}

// Pool is the endpoints of one Service port, without the endpoints themselves.
type Pool struct {
	ID PoolID `json:"id"`
	// PortName is the name of the Service's port: EndpointSlice ports are matched by it. Empty for an unnamed port.
	PortName string `json:"portName,omitempty"`
	// ExternalName is the DNS name of a Service of that type. Such a pool has one endpoint, and no EndpointSlice.
	ExternalName string `json:"externalName,omitempty"`
	// Names are the labels and annotations of its pods that policies name pods by, sorted.
	Names []Identity `json:"names,omitempty"`
}

// EndpointState says what an endpoint may be used for.
type EndpointState string

const (
	// EndpointReady takes new sessions.
	EndpointReady EndpointState = "Ready"
	// EndpointDraining is terminating and still serving, or somebody drains it: it keeps its sessions and gets no new ones.
	EndpointDraining EndpointState = "Draining"
)

// Endpoint is one pod address and port behind a Service.
type Endpoint struct {
	// ID is the pod's UID, or the address where no pod stands behind it. It is what sessions are bound to.
	ID string `json:"id"`
	// Pod is the pod's name, empty where there is none.
	Pod string `json:"pod,omitempty"`
	// Address is what to dial: "10.0.0.7:8080", "[fd00::7]:8080", or "db.example.com:80" for an ExternalName.
	Address string `json:"address"`
	Zone    string `json:"zone,omitempty"`
	// ForZones are the zones whose clients it is meant for, as the hints of EndpointSlices say, joined by commas. Empty:
	// none is said.
	ForZones string        `json:"forZones,omitempty"`
	State    EndpointState `json:"state"`
	// Names are the values of those of the pool's Names that the pod has. They are read only.
	Names map[Identity]string `json:"names,omitempty"`
}

// Host is what the TLS connections of a host must be like.
type Host struct {
	// Name is that of Route.Host.
	Name string `json:"name"`
	// MinVersion is the lowest version of TLS. 0: the one for all hosts.
	MinVersion TLSVersion `json:"minVersion,omitempty"`
	// Clients is what clients are asked for in the handshake, nil for nothing.
	Clients *ClientCertificates `json:"clients,omitempty"`
}

// ClientCertificates says which certificates clients may or must show.
type ClientCertificates struct {
	// CA is the Secret that CAs are from.
	CA Ref `json:"ca,omitzero"`
	// CAs are what a client's certificate must lead to. None: no client has one that does.
	CAs      []*x509.Certificate `json:"-"`
	Required bool                `json:"required,omitempty"`
	// Forward says that pods get the certificate itself, and not only its names.
	Forward bool `json:"forward,omitempty"`
	// Fingerprint is the SHA-256 of CAs and Required in hex: clients that were verified for one are for another of the same.
	Fingerprint string `json:"fingerprint"`
}

// ClientFingerprint is that of Clients, "" where clients are asked for nothing. h may be nil.
func (h *Host) ClientFingerprint() string {
	if h == nil || h.Clients == nil {
		return ""
	}
	return h.Clients.Fingerprint
}

// Certificate is one TLS key pair and the server names it is presented for.
type Certificate struct {
	Secret Ref `json:"secret"`
	// ServerNames are in lower case: "shop.example.com", "*.example.com", or "" for clients that name no known host.
	ServerNames []string `json:"serverNames"`
	// Algorithm is that of the key, as x509.PublicKeyAlgorithm writes it: "ECDSA", "Ed25519" or "RSA".
	Algorithm string `json:"algorithm"`
	// Fingerprint is the SHA-256 of the certificate chain in hex.
	Fingerprint string `json:"fingerprint"`
	// Pair is the chain and the key that belongs to it, with its Leaf. It is read only, and never printed.
	Pair *tls.Certificate `json:"-"`
	// CertPEM and KeyPEM are what Pair was parsed from: parsing a private key is costly, and most Secrets never change.
	CertPEM []byte `json:"-"`
	KeyPEM  []byte `json:"-"`
}
