# The same with Ruby's vici: client.rb SOCKET
require "socket"
require "vici"

s = Vici::Connection.new(UNIXSocket.new(ARGV[0]))
check = ->(what, ok) { abort "client.rb: #{what}" unless ok }

check.("version", s.version["version"])
check.("stats", s.stats["ikesas"]["total"])
s.load_conn("lib" => {
  "version" => 2, "local_addrs" => ["198.18.0.1"], "remote_addrs" => ["198.18.0.2"], "encap" => "yes", "proposals" => ["aes256gcm16-prfsha384-ecp384"],
  "local" => { "auth" => "psk", "id" => "a.example" }, "remote" => { "auth" => "psk", "id" => "b.example" },
  "children" => { "lib" => { "local_ts" => ["10.10.0.0/24"], "remote_ts" => ["10.20.0.0/24"], "esp_proposals" => ["aes256gcm16-ecp384"] } }
})
check.("get-conns", s.get_conns["conns"].include?("lib"))
lines = []
s.initiate("ike" => "lib", "child" => "lib") { |line| lines << line["msg"] }
check.("control-log", !lines.empty?)
sas = []
s.list_sas("ike" => "lib") { |sa| sas << sa }
check.("list-sas", sas.length == 1 && sas[0]["lib"]["state"] == "ESTABLISHED")
conns = []
s.list_conns { |c| conns += c.keys }
check.("list-conns", conns.include?("lib"))
s.terminate("ike" => "lib") { |line| lines << line["msg"] }
begin
  s.terminate("ike" => "lib") { |line| lines << line["msg"] }
  abort "client.rb: terminate of nothing"
rescue Vici::CommandExecError
  nil
end
s.unload_conn("name" => "lib")
