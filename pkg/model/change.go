package model

// The types below describe how a Model differs from the previous one.

// HostChange is the new state of one host.
type HostChange struct {
	// Name has the form of Route.Host.
	Name string
	// Routes are all routes of the host, in the order of Model.Routes. Without routes, the host is removed.
	Routes []Route
	// Settings is nil if Model.Hosts has no entry for the host.
	Settings *Host
	// Owner is nil if Model.Owners has no entry for the host.
	Owner *HostOwner
}

// ServerNameChange is the new state of one server name in TLS handshakes.
type ServerNameChange struct {
	Name string
	// Certificates has at most one certificate of each algorithm. Their ServerNames are not set.
	Certificates []*Certificate
	// UsesDefault is true if Model.DefaultCertificateFor has the name.
	UsesDefault bool
}
