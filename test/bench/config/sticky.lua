-- A sticky balancer in the shape of the one that ingress-nginx ran: variables set in the rewrite phase, a cookie that
-- is looked up in a map of the pods, and a record of every request that a timer takes away.
local balancer = require "ngx.balancer"

local M = {}
local pods, by_key, records = {}, {}, {}

local function add(host, port)
  local pod = { host = host, port = port, key = ngx.md5(host .. ":" .. port) }
  pods[#pods + 1] = pod
  by_key[pod.key] = pod
end
{{range .Endpoints}}
add("{{.Host}}", {{.Port}})
{{- end}}

function M.start()
  ngx.timer.every(1, function() records = {} end)
end

function M.rewrite()
  ngx.var.best_host = ngx.var.http_host or ngx.var.host
  ngx.var.scheme_in = ngx.var.scheme
  ngx.var.port_in = ngx.var.server_port
end

function M.balance()
  local pod = by_key[ngx.var.cookie_route]
  if not pod then
    pod = pods[math.random(#pods)]
    ngx.header["Set-Cookie"] = "route=" .. pod.key .. "; Path=/; HttpOnly"
  end
  balancer.set_more_tries(1)
  local ok, err = balancer.set_current_peer(pod.host, pod.port)
  if not ok then
    ngx.log(ngx.ERR, "no peer: ", err)
  end
end

function M.log()
  records[#records + 1] = {
    host = ngx.var.host,
    method = ngx.var.request_method,
    path = ngx.var.uri,
    status = ngx.var.status,
    request_length = tonumber(ngx.var.request_length),
    request_time = tonumber(ngx.var.request_time),
    bytes_sent = tonumber(ngx.var.bytes_sent),
    upstream_time = tonumber(ngx.var.upstream_response_time),
  }
end

return M
