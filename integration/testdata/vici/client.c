/* The same with davici, and the events of SAs: client SOCKET */
#include <davici.h>
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 20000 /* milliseconds */

/* text has what the gateway has said, a line "section>key=value" for each value, with "name:" in front of an event's. */
struct text {
	char buf[1 << 20];
	size_t len;
};

static struct davici_conn *conn;
static struct text answer, streamed, events;
static int fd = -1, ops, answered, failure;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "client.c: %s: %s\n%s%s%s", what, why, answer.buf, streamed.buf, events.buf);
	exit(1);
}

static void must(const char *what, int err)
{
	if (err < 0)
		die(what, strerror(-err));
}

/* has reports whether a line is like a pattern of the shell. */
static int has(const struct text *t, const char *pattern)
{
	char line[1024];
	const char *at = t->buf, *end;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (fnmatch(pattern, line, 0) == 0)
			return 1;
	}
	return 0;
}

static void want(const char *what, const struct text *t, const char *pattern)
{
	if (!has(t, pattern))
		die(what, pattern);
}

static void append(struct text *t, const char *path, const char *name, struct davici_response *res)
{
	unsigned int len;
	const char *value = davici_get_value(res, &len);
	int n = snprintf(t->buf + t->len, sizeof(t->buf) - t->len, "%s%s=%.*s\n", path, name, (int)len, value);

	if (n < 0 || (size_t)n >= sizeof(t->buf) - t->len)
		die("an answer is too long", path);
	t->len += n;
}

static void flatten(struct text *t, const char *prefix, struct davici_response *res)
{
	char path[1024], list[256] = "";
	int element;

	snprintf(path, sizeof(path), "%s", prefix);
	while ((element = davici_parse(res)) > DAVICI_END) {
		switch (element) {
		case DAVICI_SECTION_START:
			if (strlen(path) + strlen(davici_get_name(res)) + 2 > sizeof(path))
				die("too deep", path);
			strcat(strcat(path, davici_get_name(res)), ">");
			break;
		case DAVICI_SECTION_END:
			path[strlen(path) - 1] = 0;
			while (strlen(path) > strlen(prefix) && path[strlen(path) - 1] != '>')
				path[strlen(path) - 1] = 0;
			break;
		case DAVICI_KEY_VALUE:
			append(t, path, davici_get_name(res), res);
			break;
		case DAVICI_LIST_START:
			snprintf(list, sizeof(list), "%s", davici_get_name(res));
			break;
		case DAVICI_LIST_ITEM:
			append(t, path, list, res);
			break;
		}
	}
	must("parse", element);
}

static int watch(struct davici_conn *c, int f, int o, void *user)
{
	fd = f;
	ops = o;
	return 0;
}

static void on_answer(struct davici_conn *c, int err, const char *name, struct davici_response *res, void *user)
{
	answered = 1;
	failure = err;
	if (res)
		flatten(&answer, "", res);
}

/* on_event takes events, and once without a message the answer to a registration. */
static void on_event(struct davici_conn *c, int err, const char *name, struct davici_response *res, void *user)
{
	char prefix[64];

	must(name, err);
	if (!res) {
		if (user == &events)
			answered = 1;
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s:", name);
	flatten(user, prefix, res);
}

/* step waits for the socket, and does what can be done. */
static void step(const char *what)
{
	struct pollfd p = {.fd = fd, .events = (ops & DAVICI_READ ? POLLIN : 0) | (ops & DAVICI_WRITE ? POLLOUT : 0)};

	if (poll(&p, 1, PATIENCE) != 1)
		die(what, "nothing came");
	if (p.revents & POLLOUT)
		must(what, davici_write(conn));
	if (p.revents & (POLLIN | POLLHUP | POLLERR))
		must(what, davici_read(conn));
}

static struct davici_request *command(const char *name)
{
	struct davici_request *r;

	must(name, davici_new_cmd(name, &r));
	return r;
}

/* ask sends a command, with an event that is streamed if one is named, and waits for the answer. */
static void ask(struct davici_request *r, const char *name, const char *event)
{
	answered = 0;
	memset(&answer, 0, sizeof(answer));
	memset(&streamed, 0, sizeof(streamed));
	if (event)
		must(name, davici_queue_streamed(conn, r, on_answer, event, on_event, &streamed));
	else
		must(name, davici_queue(conn, r, on_answer, NULL));
	while (!answered || davici_queue_len(conn) > 0)
		step(name);
	must(name, failure);
}

static void listen_to(const char *event, int on)
{
	answered = 0;
	must(event, on ? davici_register(conn, event, on_event, &events) : davici_unregister(conn, event, on_event, &events));
	while (!answered)
		step(event);
}

static void await(const char *pattern)
{
	while (!has(&events, pattern))
		step(pattern);
}

static void list(struct davici_request *r, const char *name, const char *item)
{
	davici_list_start(r, name);
	davici_list_itemf(r, "%s", item);
	davici_list_end(r);
}

static void end(struct davici_request *r, const char *name, const char *id)
{
	davici_section_start(r, name);
	davici_kvf(r, "auth", "psk");
	davici_kvf(r, "id", "%s", id);
	davici_section_end(r);
}

static struct davici_request *load_conn(void)
{
	struct davici_request *r = command("load-conn");

	davici_section_start(r, "lib");
	davici_kvf(r, "version", "%d", 2);
	list(r, "local_addrs", "198.18.0.1");
	list(r, "remote_addrs", "198.18.0.2");
	davici_kvf(r, "encap", "yes");
	list(r, "proposals", "aes256gcm16-prfsha384-ecp384");
	end(r, "local", "a.example");
	end(r, "remote", "b.example");
	davici_section_start(r, "children");
	davici_section_start(r, "lib");
	list(r, "local_ts", "10.10.0.0/24");
	list(r, "remote_ts", "10.20.0.0/24");
	list(r, "esp_proposals", "aes256gcm16-ecp384");
	davici_section_end(r);
	davici_section_end(r);
	davici_section_end(r);
	return r;
}

static struct davici_request *with(struct davici_request *r, const char *key, const char *value)
{
	davici_kvf(r, key, "%s", value);
	return r;
}

int main(int argc, char *argv[])
{
	struct davici_request *r;

	if (argc != 2)
		die("usage", "client SOCKET");
	must("connect", davici_connect_unix(argv[1], watch, NULL, &conn));
	ask(command("version"), "version", NULL);
	want("version", &answer, "daemon=?*");
	listen_to("ike-updown", 1);
	listen_to("child-updown", 1);
	ask(load_conn(), "load-conn", NULL);
	want("load-conn", &answer, "success=yes");
	r = with(with(with(command("load-shared"), "id", "lib"), "type", "IKE"), "data", "correct horse");
	davici_list_start(r, "owners");
	davici_list_itemf(r, "%s", "a.example");
	davici_list_item(r, "b.example", strlen("b.example"));
	davici_list_end(r);
	ask(r, "load-shared", NULL);
	want("load-shared", &answer, "success=yes");
	ask(command("list-conns"), "list-conns", "list-conn");
	want("list-conns", &streamed, "list-conn:lib>children>lib>local-ts=10.10.0.0/24");
	ask(with(with(command("initiate"), "ike", "lib"), "child", "lib"), "initiate", "control-log");
	want("initiate", &answer, "success=yes");
	want("control-log", &streamed, "control-log:msg=?*");
	await("ike-updown:up=yes");
	await("ike-updown:lib>state=ESTABLISHED");
	await("child-updown:lib>child-sas>lib-*>state=INSTALLED");
	ask(with(command("list-sas"), "ike", "lib"), "list-sas", "list-sa");
	want("list-sas", &streamed, "list-sa:lib>state=ESTABLISHED");
	want("list-sas", &streamed, "list-sa:lib>remote-host=198.18.0.2");
	want("list-sas", &streamed, "list-sa:lib>child-sas>lib-*>remote-ts=10.20.0.0/24");
	memset(&events, 0, sizeof(events));
	ask(with(command("terminate"), "ike", "lib"), "terminate", "control-log");
	want("terminate", &answer, "success=yes");
	await("ike-updown:lib>state=DELETING");
	await("child-updown:lib>child-sas>lib-*>state=*");
	if (has(&events, "*updown:up=yes"))
		die("terminate", "an SA is up");
	ask(with(command("terminate"), "ike", "lib"), "terminate of nothing", NULL);
	want("terminate of nothing", &answer, "success=no");
	want("terminate of nothing", &answer, "errmsg=no matching SAs to terminate found*");
	listen_to("child-updown", 0);
	listen_to("ike-updown", 0);
	ask(with(command("unload-conn"), "name", "lib"), "unload-conn", NULL);
	want("unload-conn", &answer, "success=yes");
	ask(with(command("unload-shared"), "id", "lib"), "unload-shared", NULL);
	want("unload-shared", &answer, "success=yes");
	answered = 0;
	must("a command that there is not", davici_queue(conn, command("no-such-command"), on_answer, NULL));
	while (!answered)
		step("a command that there is not");
	if (failure != -ENOSYS)
		die("a command that there is not", strerror(-failure));
	davici_disconnect(conn);
	return 0;
}
