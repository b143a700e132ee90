package main

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// options are the flags that run, dev and demo share.
type options struct {
	httpAddr, httpsAddr    string
	affinityKeys           string
	keysFromCluster        bool                 // the keys are in a Secret; not a flag
	inCluster              bool                 // there may be replicas; not a flag
	ownService             types.NamespacedName // the Service of the replicas; not a flag
	classes                list
	trusted                prefixes
	clientHeaders          clientHeaders
	serverHeader, via      string
	logFormat              string
	logLevel               choice
	access                 accessOptions
	zone                   string
	sessions               sessionOptions
	tls                    tlsOptions
	edge                   edgeOptions
	tenants                tenantOptions
	nginx                  nginxOptions
	limits                 limitOptions
	memory                 memoryOptions
	admin                  adminOptions
	metrics                metricsOptions
	tracing                tracingOptions
	stopDelay, stopTimeout time.Duration
	unknown                []unknownVariable // unknown environment variables to log; not a flag
}

// defaults are the flag defaults that differ between run and dev.
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
	f.StringVar(&o.httpAddr, "http-addr", d.httpAddr, "The `address` on which to serve HTTP. An empty address disables it.")
	f.StringVar(&o.httpsAddr, "https-addr", d.httpsAddr, "The `address` on which to serve HTTPS. An empty address disables it.")
	o.admin.register(f, d.adminAddr)
	f.StringVar(&o.affinityKeys, "affinity-keys", "", "The `file` with the keys that protect session tokens, each 32 bytes in"+
		" base64 on a line of its own. The first key seals new tokens, and all keys open them.")
	f.Var(&o.classes, "ingress-class", "The `name` of an IngressClass to serve. May be repeated.")
	f.Var(&o.trusted, "trusted-proxies", "The comma-separated `CIDRs` of proxies whose X-Forwarded-* and Forwarded headers are"+
		" trusted.")
	f.Var(&o.clientHeaders, "client-address-headers", "The comma-separated `headers` in which trusted proxies name the client:"+
		" X-Forwarded-For, Forwarded, X-Real-IP. The first one present in a request is used. List only headers that your"+
		" proxies set themselves.")
	f.StringVar(&o.serverHeader, "server-header", "limpet", "The `name` to send as the Server header of responses that have none."+
		" If empty, none is added.")
	f.StringVar(&o.via, "via", "", "The `name` to add to the Via header of requests to pods, such as limpet."+
		" If empty, none is added.")
	f.StringVar(&o.logFormat, "log-format", d.logFormat, "The `format` of log and access log: json or text.")
	o.logLevel = choice{"info", observe.LogLevelNames()}
	f.Var(&o.logLevel, "log-level", "The `level` of the log: error, info or debug. PUT /debug/log-level of the admin listener"+
		" changes it at run time. The access log is separate.")
	o.access.register(f)
	o.sessions.register(f)
	f.StringVar(&o.zone, "zone", "", "The `name` of the zone in which this process runs, for policies that prefer pods of the"+
		" same zone.")
	o.tls.register(f)
	o.edge.register(f)
	o.tenants.register(f)
	o.nginx.register(f)
	o.limits.register(f)
	o.memory.register(f)
	o.metrics.register(f)
	o.tracing.register(f)
	f.DurationVar(&o.stopDelay, "stop-delay", d.stopDelay, "How long to keep accepting connections at shutdown after readiness"+
		" is withdrawn, so that load balancers notice.")
	f.DurationVar(&o.stopTimeout, "stop-timeout", d.stopTimeout, "How long open requests and streams may continue after"+
		" --stop-delay. Then they are cut off.")
}

// validate checks values that the flags themselves do not.
func (o *options) validate() error {
	if o.logFormat != "json" && o.logFormat != "text" {
		return usagef("--log-format is %q, but must be json or text", o.logFormat)
	}
	if err := o.access.validate(o.logFormat); err != nil {
		return err
	}
	if o.serverHeader != "" && !http1.IsToken([]byte(o.serverHeader)) {
		return usagef("--server-header is %q, but must be one word such as limpet", o.serverHeader)
	}
	if o.via != "" && !http1.IsToken([]byte(o.via)) {
		return usagef("--via is %q, but must be one word such as limpet", o.via)
	}
	if len(o.classes.values) == 0 {
		return usagef("--ingress-class is empty, but at least one class must be served")
	}
	if err := o.admin.validate(); err != nil {
		return err
	}
	if err := o.metrics.validate(); err != nil {
		return err
	}
	if err := o.sessions.validate(); err != nil {
		return err
	}
	if err := o.nginx.validate(); err != nil {
		return err
	}
	return o.edge.validate()
}

// translation returns the options for translating a Snapshot.
func (o *options) translation() translate.Options {
	t := translate.Options{
		Classes:            o.classes.values,
		DefaultCertificate: types.NamespacedName(o.tls.defaultCertificate),
		TLSMinVersion:      o.tls.minVersion,
		HSTS:               string(o.tls.hsts),
		WithoutZone:        o.zone == "",
		WithoutSharedStore: o.sessions.url == "memory",
	}
	t.TrustsProxies, t.ReadsProxyProtocol = len(o.trusted) > 0, len(o.edge.proxyProtocol) > 0
	o.tenants.apply(&t)
	o.nginx.apply(&t)
	return t
}

// keyring returns the keys of --affinity-keys, or a new key. fresh reports the latter: sessions then end with the process.
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
