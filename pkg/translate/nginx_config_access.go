package translate

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// readAllow reads the list of admitted addresses. A list with an invalid entry closes the Ingresses that it is for. An empty list
// admits all, as in ingress-nginx.
func (c *configReader) readAllow(text string) (must string) {
	c.allow = c.readNetworks("whitelist-source-range", text, closesAllow)
	return ""
}

func (c *configReader) readDeny(text string) (must string) {
	c.deny = c.readNetworks("denylist-source-range", text, closesDeny)
	return ""
}

func (c *configReader) readBlock(text string) (must string) {
	c.block = c.readNetworks("block-cidrs", text, closesAll)
	return ""
}

func (c *configReader) readNetworks(key, text string, scope closureScope) []netip.Prefix {
	entries := splitList(text)
	if len(entries) == 0 {
		return nil
	}
	networks, problem := parseSourceRanges(strings.Join(entries, ","))
	if problem != "" {
		c.refuse(scope, key, problem)
		return nil
	}
	return networks
}

// trustedProxiesKey returns the reader of a key by which clients are behind proxies. If no flag names these, it closes the
// Ingresses with lists of addresses, because the lists would be compared with the address of the proxy.
func trustedProxiesKey(key string) func(*configReader, string) string {
	return func(c *configReader, text string) string {
		return c.requirePeers(key, text, c.options.TrustsProxies,
			"takes the address of clients from a header field, but --trusted-proxies names no proxy")
	}
}

func (c *configReader) requireProxyProtocol(text string) (must string) {
	return c.requirePeers("use-proxy-protocol", text, c.options.ReadsProxyProtocol,
		"takes the address of clients from the PROXY protocol, but --proxy-protocol names no load balancer")
}

func (c *configReader) requirePeers(key, text string, isKnown bool, why string) (must string) {
	var isOn bool
	if must = readBoolInto(&isOn, text); must != "" {
		return must
	}
	if isOn && !isKnown {
		c.refuse(closesAddresses, key, why)
	}
	return ""
}

// readGlobalAuth reads the keys about authentication as the annotations of an Ingress of the operator.
func (c *configReader) readGlobalAuth() {
	const prefix = "global-"
	annotations := map[string]string{}
	for key, text := range c.values {
		if name, is := strings.CutPrefix(key, prefix); is && strings.HasPrefix(name, "auth-") && text != "" {
			annotations[nginxPrefix+name] = text
		}
	}
	if annotations[nginxPrefix+nameAuthURL] == "" {
		return // as in ingress-nginx, the other keys have no effect
	}
	d := &description{ref: c.ref}
	r := &annotationReader{description: d, annotations: annotations, options: &Options{}}
	c.auth = r.readExternalAuth()
	for _, p := range d.problems[0] {
		key, _, _ := strings.Cut(strings.TrimPrefix(p.Field, "metadata.annotations["+nginxPrefix), "]")
		_, why, _ := strings.Cut(p.Message, `" `) // after the name of the annotation
		why, _, _ = strings.Cut(why, ": the routes of ")
		c.refuse(closesAuth, prefix+key, why)
	}
	if c.auth != nil {
		c.auth.from, c.auth.to.key = "key global-auth-url of "+c.ref.String(), ""
	}
}

// globalAuth returns the authentication of the ConfigMap for an object without auth-url, or nil.
func (r *annotationReader) globalAuth() *authSettings {
	v := r.annotation(nginxPrefix, "enable-global-auth")
	on, err := strconv.ParseBool(v.text)
	isOff := v.isSet && err == nil && !on
	switch {
	case isOff:
		return nil
	case v.isSet && v.text != "" && r.options.config == nil:
		r.failProtection(v, false, "requires --nginx-configmap, which names the ConfigMap with the authentication")
		return nil
	case r.config() == nil || r.closeBy(closesAuth):
		return nil
	}
	return r.config().auth
}

// addGlobalLists adds the lists of the ConfigMap to those of an object, which may be nil.
func (r *annotationReader) addGlobalLists(list *model.AddressList, hasAllow, hasDeny bool) {
	c := r.config()
	if c == nil {
		return
	}
	if !hasAllow && !r.closeBy(closesAllow) {
		list.Allow = c.allow
	}
	if !hasDeny && !r.closeBy(closesDeny) {
		list.Deny = c.deny
	}
	if len(c.block) > 0 {
		list.Deny = disjoint(slices.Concat(list.Deny, c.block))
	}
	if len(list.Allow)+len(list.Deny) > 0 {
		r.closeBy(closesAddresses)
	}
}
