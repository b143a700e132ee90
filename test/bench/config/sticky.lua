-- A sticky balancer that does for each request what the one of ingress-nginx did: variables set in the rewrite phase,
-- cookies taken apart and looked up in a map of the pods, and a record of sixteen fields, as JSON, that a timer takes away.
local balancer = require "ngx.balancer"

local M = {}
local pods, by_key, records, count = {}, {}, {}, 0

local function add(host, port)
  local pod = { host = host, port = port, key = ngx.md5(host .. ":" .. port) }
  pods[#pods + 1] = pod
  by_key[pod.key] = pod
end
{{range .Endpoints}}
add("{{.Host}}", {{.Port}})
{{- end}}

local function take_away()
  if count > 0 then
    table.concat(records, ",", 1, count)
    count = 0
  end
end

function M.start()
  ngx.timer.every(1, take_away)
end

function M.rewrite()
  ngx.var.best_host = ngx.var.http_host or ngx.var.host
  ngx.var.scheme_in = ngx.var.scheme
  ngx.var.port_in = ngx.var.server_port
  ngx.ctx.pool = "default-cart-80"
end

local function cookies(header)
  local all = {}
  for name, value in string.gmatch(header or "", "([^=; ]+)=([^;]*)") do
    all[name] = value
  end
  return all
end

function M.balance()
  local pod = by_key[cookies(ngx.var.http_cookie).route]
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

local format = '{"host":"%s","namespace":"%s","ingress":"%s","service":"%s","canary":"%s","path":"%s","method":"%s",' ..
  '"status":"%s","requestLength":%d,"requestTime":%f,"responseLength":%d,"connectTime":%f,"headerTime":%f,' ..
  '"upstreamTime":%f,"upstreamLength":%d,"labels":"%s"}'

function M.log()
  if count >= 10000 then
    return
  end
  local var = ngx.var
  count = count + 1
  records[count] = format:format(var.host, var.namespace, var.ingress, var.service, var.canary, var.location_path,
    var.request_method, var.status, tonumber(var.request_length) or -1, tonumber(var.request_time) or -1,
    tonumber(var.bytes_sent) or -1, tonumber(var.upstream_connect_time) or -1, tonumber(var.upstream_header_time) or -1,
    tonumber(var.upstream_response_time) or -1, tonumber(var.upstream_response_length) or -1, var.labels)
end

return M
