package main

import (
	"fmt"
	"os"
	"os/exec"
)

// wire is what a proxy speaks in a workload.
type wire struct {
	TLS   bool // towards clients; else cleartext
	HTTP2 bool // towards clients
	GRPC  bool // towards pods: HTTP/2 in cleartext
}

// rival is one proxy and how it is started: stickiness by a cookie, keep-alive on both sides, the same fields about the
// client added, no access log.
type rival struct {
	name    string
	command func(site) []string // runs in the foreground; its first word is the program
	version func() string
	// files are written to the proxy's folder: their names, and the templates in config that they are made of.
	files map[string]string
	// needs are files without which it cannot run, and hint says how to get all of it.
	needs []string
	hint  string
	// blind proxies pass bytes on: they are the floor, and no rival.
	blind bool
}

const (
	limpetName   = "limpet"
	baselineName = "baseline"
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

// present gives Limpet, its baseline, and those of the chosen rivals that are on this machine; of the others, why not.
func present(s settings) (here []*rival, absent []string, err error) {
	here = []*rival{limpet(limpetName, s.limpet)}
	if s.baseline != "" {
		here = append(here, limpet(baselineName, s.baseline))
	}
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

// missing says what of the rival is not on this machine.
func (r *rival) missing() error {
	program := r.command(site{})[0]
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("%s is absent: there is no program %s; %s", r.name, program, r.hint)
	}
	for _, path := range r.needs {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%s is absent: there is no %s; %s", r.name, path, r.hint)
		}
	}
	return nil
}

// offers says whether the proxy can do what a workload needs. An idle connection through a relay is two.
func (r *rival) offers(w *workload) bool {
	return !r.blind || w.wire == wire{} && !w.idle
}
