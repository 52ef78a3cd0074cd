// A real reader in C++, nlohmann::json as llama.cpp's server has it, that answers with what it has read of a request. Argument: the
// routes, as JSON. Prints its port, as JSON.
#include <arpa/inet.h>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using json = nlohmann::ordered_json;

// What llama.cpp does with a member of another type: as if it were not there.
template <typename T> static void take(const json &body, json &into, const char *name) {
    if (!body.contains(name) || body.at(name).is_null()) return;
    try {
        into[name] = body.at(name).get<T>();
    } catch (const std::exception &) {
    }
}

static json bodies_of(const std::string &text) {
    json bodies = json::array();
    try {
        const json body = json::parse(text);
        if (!body.is_object()) return bodies;
        json taken = json::object();
        take<std::string>(body, taken, "model");
        take<json>(body, taken, "messages");
        take<json>(body, taken, "prompt");
        for (const char *name : {"max_tokens", "max_completion_tokens", "n_predict", "n", "n_cmpl", "thinking_budget_tokens"})
            take<int32_t>(body, taken, name);
        take<json>(body, taken, "logit_bias");
        bodies.push_back(taken);
        bodies.push_back(body);
    } catch (const std::exception &) {
    }
    return bodies;
}

static bool more(int client, std::string &raw) {
    char part[65536];
    const ssize_t count = read(client, part, sizeof part);
    if (count > 0) raw.append(part, count);
    return count > 0;
}

// The model that a path names at a route, and whether the path is the route's.
static bool is_at(const std::string &route, const std::string &path, std::string &model) {
    const size_t at = route.find("{model}");
    if (at == std::string::npos) return route == path;
    const std::string behind = route.substr(at + 7);
    if (path.size() <= at + behind.size() || path.compare(0, at, route, 0, at) != 0) return false;
    if (path.compare(path.size() - behind.size(), behind.size(), behind) != 0) return false;
    model = path.substr(at, path.size() - behind.size() - at);
    return model.find('/') == std::string::npos;
}

static void serve(int client, const std::vector<std::string> &routes) {
    std::string raw;
    size_t end;
    while ((end = raw.find("\r\n\r\n")) == std::string::npos)
        if (!more(client, raw)) return void(close(client));
    const size_t named = raw.find("Content-Length: ");
    const size_t length = named < end ? std::stoul(raw.substr(named + 16)) : 0;
    while (raw.size() < end + 4 + length)
        if (!more(client, raw)) return void(close(client));
    const size_t from = raw.find(' ') + 1;
    const std::string path = raw.substr(from, raw.find_first_of(" ?", from) - from);
    json said = json::object();
    for (const std::string &route : routes) {
        std::string model;
        if (!is_at(route, path, model)) continue;
        said = {{"route", route}, {"model", model}, {"query", json::object()}, {"bodies", bodies_of(raw.substr(end + 4, length))}};
        break;
    }
    const std::string text = said.dump(-1, ' ', true, json::error_handler_t::replace);
    const std::string answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
    if (write(client, answer.data(), answer.size()) < 0) perror("write");
    close(client);
}

int main(int, char **arguments) {
    const std::vector<std::string> routes = json::parse(arguments[1]);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, reinterpret_cast<sockaddr *>(&address), size) != 0 || listen(server, 512) != 0) return 1;
    getsockname(server, reinterpret_cast<sockaddr *>(&address), &size);
    printf("{\"nlohmann\":%d}\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        const int client = accept(server, nullptr, nullptr);
        if (client >= 0) std::thread(serve, client, std::cref(routes)).detach();
    }
}
