package main

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/proxy"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// tlsOptions are the flags for TLS with clients.
type tlsOptions struct {
	defaultCertificate objectName
	minVersion         model.TLSVersion
	ciphers            cipherSuites
	hsts               hsts
}

func (o *tlsOptions) register(f flagSet) {
	f.Var(&o.defaultCertificate, "default-certificate", "The TLS Secret, as `namespace/name`, for clients that request an"+
		" unknown host. If empty, the certificate of an Ingress without hosts, otherwise a self-signed one.")
	f.TextVar(&o.minVersion, "tls-min-version", model.TLS12,
		"The lowest TLS `version` to accept: 1.2 or 1.3. An annotation can raise it for a host.")
	f.Var(&o.ciphers, "tls-ciphers", "The comma-separated IANA `names` of the cipher suites to accept with TLS 1.2. If empty,"+
		" ECDHE with AES-GCM or ChaCha20. The suites of TLS 1.3 are fixed.")
	f.Var(&o.hsts, "hsts", "The `value` of Strict-Transport-Security to set on responses over TLS, such as max-age=31536000."+
		" An annotation can override it. If empty, the header is left to the application.")
}

func (o *tlsOptions) proxy() proxy.TLSOptions {
	return proxy.TLSOptions{MinVersion: o.minVersion, CipherSuites: o.ciphers}
}

// hsts is a flag with a Strict-Transport-Security value.
type hsts string

func (h *hsts) String() string { return string(*h) }

// Type names the kind of value in the help text, as pflag wants.
func (h *hsts) Type() string { return "value" }

func (h *hsts) Set(s string) error {
	value, err := translate.ParseHSTS(s)
	*h = hsts(value)
	return err
}

// cipherSuites is a flag with comma-separated IANA names of TLS 1.2 cipher suites.
type cipherSuites []uint16

func (c *cipherSuites) String() string {
	names := make([]string, len(*c))
	for i, id := range *c {
		names[i] = tls.CipherSuiteName(id)
	}
	return strings.Join(names, ",")
}

// Type names the kind of value in the help text, as pflag wants.
func (c *cipherSuites) Type() string { return "names" }

func (c *cipherSuites) Set(s string) error {
	var suites cipherSuites
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		id, err := cipherSuite(name)
		if err != nil {
			return err
		}
		suites = append(suites, id)
	}
	*c = suites
	return nil
}

func cipherSuite(name string) (uint16, error) {
	for _, suite := range tls.InsecureCipherSuites() {
		if suite.Name == name {
			return 0, fmt.Errorf("cipher suite %s is not secure", name)
		}
	}
	var names []string
	for _, suite := range tls.CipherSuites() {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		if suite.Name == name {
			return suite.ID, nil
		}
		names = append(names, suite.Name)
	}
	return 0, fmt.Errorf("unknown TLS 1.2 cipher suite %q; must be one of %s", name, strings.Join(names, ", "))
}
