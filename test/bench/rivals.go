package main

import (
	"fmt"
	"os"
	"os/exec"
)

// wire is the set of protocols of a workload.
type wire struct {
	TLS   bool // between clients and proxy; otherwise cleartext
	HTTP2 bool // between clients and proxy
	GRPC  bool // between proxy and pods: cleartext HTTP/2
}

// filters are the settings of a workload for its route.
type filters struct {
	Set    bool // a redirect, CORS, a list of addresses, a rewrite and a limit per second, none of which applies to the requests
	Auth   bool // a service decides about each request
	Cached bool // its decisions are cached
}

// rival is a proxy and how to start it. All use stickiness by cookie, keep-alive on both sides and the same
// forwarding fields, and have no access log.
type rival struct {
	name    string
	command func(site) []string // runs in the foreground; the first element is the program
	version func() string
	// files maps the names of files in the proxy's directory to their templates in config.
	files map[string]string
	// needs are required files. hint tells how to install program and files.
	needs []string
	hint  string
	// blind proxies only relay bytes. They are the lower bound.
	blind bool
	// plain is Limpet without the filters of a workload.
	plain bool
}

const (
	limpetName   = "limpet"
	baselineName = "baseline"
	plainName    = "limpet-plain"
	nginxName    = "nginx"
	luaName      = "nginx-lua"
	haproxyName  = "haproxy"
	caddyName    = "caddy"
	relayName    = "relay"
)

func allRivals(s settings) []*rival {
	nginx := func(at site) []string { return []string{"nginx", "-p", at.Dir, "-c", at.Dir + "/nginx.conf"} }
	haproxy := func(at site) []string { return []string{"haproxy", "-db", "-f", at.Dir + "/haproxy.cfg"} }
	return []*rival{
		{
			name: nginxName, command: nginx, version: firstLine("nginx", "-v"),
			files: map[string]string{"nginx.conf": "nginx.conf"},
			hint:  "Debian has it in nginx",
		},
		{
			name: haproxyName, command: haproxy, version: firstLine("haproxy", "-v"),
			files: map[string]string{"haproxy.cfg": "haproxy.cfg"},
			hint:  "Debian has it in haproxy",
		},
		{
			name: luaName, command: nginx,
			version: packageVersions("nginx", "libnginx-mod-http-lua", "lua-resty-core"),
			files:   map[string]string{"nginx.conf": "nginx.conf", "sticky.lua": "sticky.lua"},
			needs:   []string{"/usr/lib/nginx/modules/ngx_http_lua_module.so", "/usr/share/lua/5.1/resty/core.lua"},
			hint:    "Debian has it in nginx, libnginx-mod-http-lua and lua-resty-core",
		},
		{
			name:    caddyName,
			command: func(at site) []string { return []string{s.caddy, "run", "--config", at.Dir + "/Caddyfile"} },
			version: moduleVersion(s.caddy),
			files:   map[string]string{"Caddyfile": "Caddyfile"},
			hint:    "hack/tools/build.sh caddy builds it",
		},
		{
			name: relayName, command: haproxy, version: firstLine("haproxy", "-v"), blind: true,
			files: map[string]string{"haproxy.cfg": "relay.cfg"},
			hint:  "Debian has it in haproxy",
		},
	}
}

func limpet(name, binary string) *rival {
	return &rival{
		name: name, version: firstLine(binary, "version"),
		files: map[string]string{"manifests/cart.yaml": "limpet.yaml"},
		command: func(at site) []string {
			plain, secure := at.Address, ""
			if at.TLS {
				plain, secure = "", at.Address
			}
			return []string{binary, "dev", "--manifests", at.Dir + "/manifests", "--http-addr", plain,
				"--https-addr", secure, "--admin-addr=", "--max-requests-per-connection=0", "--access-log=false"}
		},
		hint: "make build builds it",
	}
}

// present returns Limpet, its baseline and the installed rivals, and the reasons why others are missing.
func present(s settings) (here []*rival, absent []string, err error) {
	here = []*rival{limpet(limpetName, s.limpet)}
	if s.baseline != "" {
		here = append(here, limpet(baselineName, s.baseline))
	}
	plain := limpet(plainName, s.limpet)
	plain.plain = true
	here = append(here, plain)
	for _, r := range here {
		if err := r.missing(); err != nil {
			return nil, nil, err
		}
	}
	chosen, err := choose(s.rivals, allRivals(s), func(r *rival) string { return r.name })
	if err != nil {
		return nil, nil, err
	}
	for _, r := range chosen {
		if err := r.missing(); err != nil {
			absent = append(absent, err.Error())
			continue
		}
		here = append(here, r)
	}
	return here, absent, nil
}

// missing returns an error if the rival is not installed.
func (r *rival) missing() error {
	program := r.command(site{})[0]
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s is missing: program %s not found; %s", r.name, program, r.hint)
	}
	for _, path := range r.needs {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s is missing: %s not found; %s", r.name, path, r.hint)
		}
	}
	return nil
}

// offers reports whether the proxy takes part in a workload. Relays are excluded from idle workloads, because they need
// two connections each. Only the configuration of nginx has filters.
func (r *rival) offers(w *workload) bool {
	if w.filters != (filters{}) {
		return r.name == limpetName || r.plain || r.name == baselineName || r.name == nginxName
	}
	if w.share > 0 && (r.name == luaName || r.name == caddyName) {
		return false // the rate is half of the capacity of the slowest
	}
	return !r.plain && (!r.blind || w.wire == wire{} && !w.idle)
}
