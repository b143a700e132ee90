package main

// tlsOptions are about TLS towards clients.
type tlsOptions struct {
	defaultCertificate objectName
}

func (o *tlsOptions) register(f flagSet) {
	f.Var(&o.defaultCertificate, "default-certificate",
		"`namespace/name` of the TLS Secret for clients that name no known host; empty: one that they refuse")
}
