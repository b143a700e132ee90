package main

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// options are what run, dev and demo share.
type options struct {
	httpAddr, httpsAddr, adminAddr string
	affinityKeys                   string
	keysFromCluster                bool // a Secret holds them: not a flag
	classes                        list
	trusted                        prefixes
	clientHeaders                  clientHeaders
	serverHeader                   string
	logFormat                      string
	accessLog                      bool
	zone                           string
	sessionStore                   string
	tls                            tlsOptions
	edge                           edgeOptions
	limits                         limitOptions
	stopDelay, stopTimeout         time.Duration
}

// defaults differ between a cluster and a developer's machine.
type defaults struct {
	httpAddr, httpsAddr, adminAddr string
	logFormat                      string
	stopDelay, stopTimeout         time.Duration
}

var (
	clusterDefaults = defaults{":8080", ":8443", ":9090", "json", 5 * time.Second, 2 * time.Minute}
	devDefaults     = defaults{":8080", ":8443", "127.0.0.1:9090", "text", 0, 5 * time.Second}
)

func (o *options) register(f flagSet, d defaults) {
	o.classes = list{values: []string{"limpet"}}
	o.clientHeaders = clientHeaders{http1.FieldXForwardedFor}
	f.StringVar(&o.httpAddr, "http-addr", d.httpAddr, "`address` to serve HTTP on; empty: do not")
	f.StringVar(&o.httpsAddr, "https-addr", d.httpsAddr, "`address` to serve HTTPS on; empty: do not")
	f.StringVar(&o.adminAddr, "admin-addr", d.adminAddr, "`address` of health, metrics and debug; empty: none")
	f.StringVar(&o.affinityKeys, "affinity-keys", "", "`file` with the keys of the tokens, 32 bytes in base64 a line;"+
		" the first seals, all open")
	f.Var(&o.classes, "ingress-class", "`name` of an IngressClass to serve; may be repeated")
	f.Var(&o.trusted, "trusted-proxies", "`CIDRs` of proxies whose X-Forwarded-* and Forwarded are believed")
	f.Var(&o.clientHeaders, "client-address-headers", "`headers` in which trusted proxies name the client, the first that a"+
		" request has counts: X-Forwarded-For, Forwarded, X-Real-IP. Only those that the proxies set themselves")
	f.StringVar(&o.serverHeader, "server-header", "limpet", "`name` for the Server header of answers that have none; empty: none")
	f.StringVar(&o.logFormat, "log-format", d.logFormat, "`json` or text")
	f.BoolVar(&o.accessLog, "access-log", true, "write a line for each request to standard output")
	f.StringVar(&o.sessionStore, "session-store", "memory", "where learned sessions are kept: `memory`, or the URL of a"+
		" Redis or Valkey that replicas share")
	f.StringVar(&o.zone, "zone", "", "`name` of the zone that this process runs in, for policies that prefer pods of their own")
	o.tls.register(f)
	o.edge.register(f)
	o.limits.register(f)
	f.DurationVar(&o.stopDelay, "stop-delay", d.stopDelay,
		"how long to go on taking connections after readiness was taken back, for load balancers to notice")
	f.DurationVar(&o.stopTimeout, "stop-timeout", d.stopTimeout,
		"how long requests and streams may take to end after that")
}

// validate finds what the flags alone cannot.
func (o *options) validate() error {
	if o.logFormat != "json" && o.logFormat != "text" {
		return fmt.Errorf("%w: --log-format is %q, but must be json or text", errUsage, o.logFormat)
	}
	if o.serverHeader != "" && !http1.IsToken([]byte(o.serverHeader)) {
		return fmt.Errorf("%w: --server-header is %q, but must be one word such as limpet", errUsage, o.serverHeader)
	}
	if len(o.classes.values) == 0 {
		return fmt.Errorf("%w: --ingress-class is empty, but at least one class must be served", errUsage)
	}
	return o.edge.validate()
}

// translation is what the flags say about translating a World.
func (o *options) translation() translate.Options {
	return translate.Options{
		Classes:            o.classes.values,
		DefaultCertificate: types.NamespacedName(o.tls.defaultCertificate),
		TLSMinVersion:      o.tls.minVersion,
		HSTS:               string(o.tls.hsts),
	}
}

// keyring reads the key file, or makes a fresh key. fresh says that sessions will not outlive the process.
func (o *options) keyring() (ring *affinity.Keyring, fresh bool, err error) {
	keys := [][]byte{affinity.NewKey()}
	if o.affinityKeys != "" {
		text, err := os.ReadFile(o.affinityKeys)
		if err != nil {
			return nil, false, fmt.Errorf("--affinity-keys: %w", err)
		}
		if keys, err = affinity.ParseKeys(text); err != nil {
			return nil, false, fmt.Errorf("--affinity-keys: %s: %w", o.affinityKeys, err)
		}
	}
	ring, err = affinity.NewKeyring(keys)
	return ring, o.affinityKeys == "", err
}
