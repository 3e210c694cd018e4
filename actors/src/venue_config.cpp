#include <outcry/actors/venue_config.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <outcry/net/soupbintcp.hpp>

#include "account_limits.hpp"
#include "settings_reader.hpp"
#include "venue_options.hpp"

namespace outcry {

namespace {

constexpr double most_ns = 9.2e18;
constexpr std::uint32_t most_instruments = 10'000;
constexpr std::size_t most_accounts = 10'000;
constexpr std::size_t most_user = 6;  // as SoupBinTCP has it

bool is_word(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isgraph(static_cast<unsigned char>(c)) != 0 && c != ',' && c != '"' && c != '\\';
  });
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    words.emplace_back(word);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return words;
}

/// A door that waits for others: no two of them may want the same one.
struct Door {
  std::string key;
  std::uint32_t line;
  Endpoint address;
  bool datagrams;
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : reader_(path.string()) { config_.file = path.string(); }

  VenueConfig read() {
    std::vector<Setting> root = root_settings();
    CommandLine rules("", "");
    rules_.add_to(rules);
    for (Setting& one : rules.settings()) {
      if (one.key.starts_with("session.")) one.key.replace(0, 8, "day.");
      if (one.key != "rules.groups") root.push_back(std::move(one));
    }
    reader_.add_list("instrument", [this](const toml::table& table) { read_instrument(table); });
    reader_.add_list("gateway", [this](const toml::table& table) { read_gateway(table); });
    reader_.add_list("account", [this](const toml::table& table) { read_account(table); });
    reader_.add_list("feed", [this](const toml::table& table) { read_feed(table); });
    reader_.read(reader_.root(), "", root);

    const auto line_of = [&](std::string_view key) {
      for (const Setting& one : root)
        if (one.key == key && one.given) return one.line;
      return 1u;
    };
    if (metrics_) add_door("metrics.address", line_of("metrics.address"), *metrics_, false);
    config_.metrics.address = metrics_;
    if (config_.instruments.empty()) reader_.fail(1, "there is no [[instrument]], expected one with its symbol");
    if (config_.gateways.empty() && config_.feeds.empty())
      reader_.fail(1, "there is no [[gateway]] and no [[feed]], expected a door by which somebody comes in");
    if (!config_.gateways.empty() && config_.accounts.empty())
      reader_.fail(1, "there is no [[account]], expected one with user and password");
    take_names();
    take_rules();
    check_doors();
    check_places();
    return std::move(config_);
  }

 private:
  // --- the forms of values

  Form* form(Form made) { return &forms_.emplace_back(std::move(made)); }

  Form* word(std::string& to, std::size_t most, std::string what) {
    return form({.expected = fmt::format("{}: 1 to {} characters without spaces, commas and quotes", what, most),
                 .take = [&to, most](const std::string& text) { return is_word(text, most) && (to = text, true); },
                 .text = [&to] { return to; }});
  }

  Form* endpoint(std::optional<Endpoint>& to) {
    return form({.expected = "an address such as \"127.0.0.1:7001\" or \"[::1]:7001\"",
                 .take = [&to](const std::string& text) { return (to = Endpoint::parse(text)).has_value(); },
                 .text = [&to] { return to ? to->text() : std::string(); }});
  }

  Form* names(std::vector<std::string>& to, std::string what) {
    return form({.expected = what + ", such as [\"A\", \"B\"]",
                 .take =
                     [&to](const std::string& text) {
                       std::vector<std::string> words = words_in(text);
                       if (!std::all_of(words.begin(), words.end(), [](const auto& one) { return is_word(one, 16); }))
                         return false;
                       to = std::move(words);
                       return true;
                     },
                 .text = [&to] { return fmt::format("{}", to.size()); },
                 .is_list = true});
  }

  template <class Value, std::size_t count>
  Form* choice(const std::array<std::pair<std::string_view, Value>, count>& choices, Value& to) {
    std::string all;
    for (const auto& [name, value] : choices) all += (all.empty() ? "" : ", ") + std::string(name);
    return form({.expected = "one of " + all,
                 .take =
                     [&to, &choices](const std::string& text) {
                       for (const auto& [name, value] : choices)
                         if (text == name) return to = value, true;
                       return false;
                     },
                 .text = [] { return std::string(); }});
  }

  // --- the tables

  struct Named {
    std::vector<std::string> gateways{};
    std::vector<std::string> symbols{};
    std::uint32_t gateways_line = 0;
    std::uint32_t symbols_line = 0;
  };

  std::vector<Setting> root_settings() {
    static constexpr std::array<std::pair<std::string_view, IdlePolicy>, 3> idle{
        {{"sleep", IdlePolicy::sleep}, {"spin_then_sleep", IdlePolicy::spin_then_sleep}, {"spin", IdlePolicy::spin}}};
    static constexpr std::array<std::pair<std::string_view, bool>, 2> origins{{{"start", false}, {"midnight", true}}};
    VenueConfig& c = config_;
    VenueConfig::Sizes& sizes = c.sizes;
    std::vector<Setting> all;
    const auto add = [&](Setting setting) { all.push_back(std::move(setting)); };
    add({"", "name", "", "", word(c.name, 32, "the venue's name")});
    add({"", "session", "", "", word(c.session, 10, "the name of today's session")});
    add({"", "schedulers", "", "", &c.schedulers, 1, 256});
    add({"", "idle", "", "", choice(idle, c.idle)});
    add({"", "host", "", "", &c.host});
    add({"", "kill_switch", "", "", &c.kill_switch});
    add({"", "newest_login_wins", "", "", &c.newest_login_wins});
    add({"", "kernel_stamps", "", "", &c.kernel_stamps});
    add({"", "beyond_loopback", "", "", &c.beyond_loopback});
    add({"", "measure", "", "", &c.measure});
    add({"", "metrics.address", "", "", endpoint(metrics_)});
    add({"", "metrics.largest_request", "", "", &largest_request_, 128, 1 << 20});
    add({"", "metrics.patience", "", "", &c.metrics.patience, 1e6, 3.6e12});
    add({"", "metrics.connections", "", "", &c.metrics.connections, 1, 1024});
    add({"", "sizes.orders", "", "", &sizes.orders, 16, 1e8});
    add({"", "sizes.port_orders", "", "", &sizes.port_orders, 16, 1 << 20});
    add({"", "sizes.port_ids", "", "", &sizes.port_ids, 16, 1 << 26});
    add({"", "sizes.messages", "", "", &sizes.messages, 16, 4e9});
    add({"", "sizes.message_bytes", "", "", &sizes.message_bytes, 4096, 1e12});
    add({"", "sizes.feed_messages", "", "", &sizes.feed_messages, 16, 4e9});
    add({"", "sizes.feed_bytes", "", "", &sizes.feed_bytes, 4096, 1e12});
    add({"", "sizes.login", "", "", &sizes.login, 1e6, 3.6e12});
    add({"", "sizes.drain", "", "", &sizes.drain, 1e6, 3.6e12});
    add({"", "day.counted_from", "", "", choice(origins, c.day_from_midnight)});
    return all;
  }

  /// Reads one table of a list. `required` are keys that it must have.
  std::uint32_t read_table(const toml::table& table, const std::string& list, std::vector<Setting>& settings,
                           std::initializer_list<const char*> required) {
    SettingsReader& reader = reader_;
    reader.read(table, list + ".", settings);
    const auto line = static_cast<std::uint32_t>(table.source().begin.line);
    for (const char* key : required) {
      const auto one = std::find_if(settings.begin(), settings.end(),
                                    [&](const Setting& setting) { return setting.key == list + "." + key; });
      if (!one->given) reader.fail(line, fmt::format("{} is missing, expected {}", one->key, expected(*one)));
    }
    return line;
  }

  static std::uint32_t line_in(const std::vector<Setting>& settings, std::string_view key, std::uint32_t otherwise) {
    for (const Setting& one : settings)
      if (one.key == key && one.given) return one.line;
    return otherwise;
  }

  void read_instrument(const toml::table& table) {
    VenueConfig::Listed listed;
    Instrument& instrument = listed.instrument;
    instrument.lowest = Price{1};
    instrument.highest = Price{1'999'999'900};
    instrument.largest = Quantity{999'999};
    std::string symbol;
    std::int64_t scheduler = -1;
    std::vector<Setting> settings;
    settings.push_back({"", "instrument.symbol", "", "", word(symbol, 8, "what is traded")});
    settings.push_back({"", "instrument.tick", "", "", &instrument.tick, 1, 1e9});
    settings.push_back({"", "instrument.lot", "", "", &instrument.lot, 1, 999'999});
    settings.push_back({"", "instrument.price_scale", "", "", &instrument.price_scale, 10'000, 10'000});
    settings.push_back({"", "instrument.lowest", "", "", &instrument.lowest.units, 1, 1'999'999'900});
    settings.push_back({"", "instrument.highest", "", "", &instrument.highest.units, 1, 1'999'999'900});
    settings.push_back({"", "instrument.largest", "", "", &instrument.largest.lots, 1, 999'999});
    settings.push_back({"", "instrument.scheduler", "", "", &scheduler, 0, 255});
    settings.push_back({"", "instrument.restricted", "", "", &listed.restricted});
    settings.push_back({"", "instrument.short_sales", "", "", &listed.short_sales});
    const std::uint32_t line = read_table(table, "instrument", settings, {"symbol"});
    const std::uint32_t here = line_in(settings, "instrument.symbol", line);
    if (const auto known = symbols_.find(symbol); known != symbols_.end())
      reader_.fail(here, fmt::format("instrument.symbol is \"{}\", which line {} has already, expected another", symbol,
                                     known->second.line));
    if (config_.instruments.size() == most_instruments)
      reader_.fail(here, fmt::format("there are more than {} instruments", most_instruments));
    if (instrument.lowest > instrument.highest)
      reader_.fail(line_in(settings, "instrument.highest", line),
                   fmt::format("instrument.highest is {}, expected no less than lowest, {}", instrument.highest.units,
                               instrument.lowest.units));
    instrument.symbol = SymbolId{static_cast<std::uint32_t>(config_.instruments.size())};
    instrument.name = padded_name(symbol);
    listed.scheduler = static_cast<int>(scheduler);
    symbols_[symbol] = {instrument.symbol, here};
    place("instrument.scheduler", line_in(settings, "instrument.scheduler", line), listed.scheduler);
    config_.instruments.push_back(listed);
  }

  void read_gateway(const toml::table& table) {
    static constexpr std::array<std::pair<std::string_view, VenueConfig::Protocol>, 3> protocols{
        {{"ouch50", VenueConfig::Protocol::ouch50},
         {"ouch42", VenueConfig::Protocol::ouch42},
         {"fix", VenueConfig::Protocol::fix}}};
    VenueConfig::Gateway gateway;
    std::optional<Endpoint> address;
    std::int64_t scheduler = -1;
    std::vector<Setting> settings;
    settings.push_back({"", "gateway.name", "", "", word(gateway.name, 16, "what accounts call it")});
    settings.push_back({"", "gateway.protocol", "", "", choice(protocols, gateway.protocol)});
    settings.push_back({"", "gateway.address", "", "", endpoint(address)});
    settings.push_back({"", "gateway.scheduler", "", "", &scheduler, 0, 255});
    settings.push_back({"", "gateway.connections", "", "", &gateway.connections, 1, 100'000});
    settings.push_back({"", "gateway.connections_per_address", "", "", &gateway.connections_per_address, 1, 100'000});
    settings.push_back({"", "gateway.comp_id", "", "", word(gateway.comp_id, 32, "the venue in FIX messages")});
    settings.push_back({"", "gateway.passwords", "", "", &gateway.passwords});
    const std::uint32_t line = read_table(table, "gateway", settings, {"name", "protocol", "address"});
    const std::uint32_t here = line_in(settings, "gateway.name", line);
    if (const auto known = gateways_.find(gateway.name); known != gateways_.end())
      reader_.fail(here, fmt::format("gateway.name is \"{}\", which line {} has already, expected another",
                                     gateway.name, known->second.line));
    for (const char* key : {"gateway.comp_id", "gateway.passwords"})
      if (gateway.protocol != VenueConfig::Protocol::fix && line_in(settings, key, 0) != 0)
        reader_.fail(line_in(settings, key, line),
                     fmt::format("{} is of protocol fix, and this one is {}", key, name_of(gateway.protocol)));
    gateway.address = *address;
    gateway.scheduler = static_cast<int>(scheduler);
    gateways_[gateway.name] = {static_cast<std::uint32_t>(config_.gateways.size()), here};
    add_door("gateway.address", line_in(settings, "gateway.address", line), gateway.address, false);
    place("gateway.scheduler", line_in(settings, "gateway.scheduler", line), gateway.scheduler);
    config_.gateways.push_back(std::move(gateway));
  }

  void read_account(const toml::table& table) {
    static constexpr std::array<std::pair<std::string_view, VenueConfig::ShortSales>, 3> short_sales{
        {{"free", VenueConfig::ShortSales::free},
         {"marked", VenueConfig::ShortSales::marked},
         {"none", VenueConfig::ShortSales::none}}};
    VenueConfig::Account account;
    VenueConfig::Limits& limits = account.limits;
    std::uint32_t copies = 1;
    Named named;
    std::vector<Setting> settings;
    settings.push_back({"", "account.user", "", "", word(account.user, most_user, "who logs in")});
    settings.push_back({"", "account.password", "", "", word(account.password, 10, "a text in quotes")});
    settings.back().secret = true;
    settings.push_back({"", "account.copies", "", "", &copies, 1, 10'000});
    settings.push_back({"", "account.firm", "", "", word(account.firm, 4, "the firm")});
    settings.push_back({"", "account.comp_id", "", "", word(account.comp_id, 32, "the account in FIX messages")});
    settings.push_back({"", "account.gateways", "", "", names(named.gateways, "names of gateways")});
    settings.push_back({"", "account.symbols", "", "", names(named.symbols, "symbols")});
    settings.push_back({"", "account.group", "", "", &account.group, 0, 1e9});
    settings.push_back({"", "account.cancel_on_disconnect", "", "", &account.cancel_on_disconnect});
    settings.push_back({"", "account.grace", "", "", &account.grace, 0, most_ns});
    settings.push_back({"", "account.messages_per_second", "", "", &account.throttle.per_second, 0, 1e9});
    settings.push_back({"", "account.burst", "", "", &account.throttle.burst, 0, 1e9});
    for (Setting& one : limit_settings("account.limits", limits)) settings.push_back(std::move(one));
    settings.push_back({"", "account.limits.short_sales", "", "", choice(short_sales, limits.short_sales)});
    settings.push_back({"", "account.limits.locate", "", "", &limits.locate});
    const std::uint32_t line = read_table(table, "account", settings, {"user", "password"});
    const std::uint32_t here = line_in(settings, "account.user", line);
    const auto needs_burst = [&](const TokenRate& rate, const char* rate_key, const char* burst_key) {
      if ((rate.per_second == 0) == (rate.burst == 0)) return;
      const char* given = rate.burst == 0 ? rate_key : burst_key;
      reader_.fail(line_in(settings, given, line), fmt::format("{} is given without {}, expected both or none", given,
                                                               rate.burst == 0 ? burst_key : rate_key));
    };
    needs_burst(account.throttle, "account.messages_per_second", "account.burst");
    needs_burst(limits.orders, "account.limits.orders_per_second", "account.limits.orders_burst");
    if (account.grace > Duration::zero() && !account.cancel_on_disconnect)
      reader_.fail(line_in(settings, "account.grace", line),
                   "account.grace is of cancel_on_disconnect, which is false here");
    named.gateways_line = line_in(settings, "account.gateways", line);
    named.symbols_line = line_in(settings, "account.symbols", line);
    const std::uint32_t copies_line = line_in(settings, "account.copies", 0);
    if ((account.user.find('#') != std::string::npos) != (copies_line != 0))
      reader_.fail(copies_line != 0 ? copies_line : here,
                   fmt::format("account.user is \"{}\", expected a # in it if there is account.copies, and only then",
                               account.user));
    if (copies_line == 0) return add_account(account, named, here);
    for (std::uint32_t number = 1; number <= copies; ++number) {
      VenueConfig::Account copy = account;
      for (std::string* text : {&copy.user, &copy.comp_id})
        if (const auto at = text->find('#'); at != std::string::npos) text->replace(at, 1, fmt::format("{}", number));
      if (copy.user.size() > most_user)
        reader_.fail(copies_line,
                     fmt::format("account.copies is {}, and account.user would be \"{}\", expected 1 to {} "
                                 "characters",
                                 copies, copy.user, most_user));
      add_account(copy, named, here);
    }
  }

  void add_account(VenueConfig::Account account, const Named& named, std::uint32_t line) {
    if (const auto known = users_.find(upper(account.user)); known != users_.end())
      reader_.fail(line, fmt::format("account.user is \"{}\", which line {} has already, expected another",
                                     account.user, known->second));
    if (config_.accounts.size() == most_accounts)
      reader_.fail(line, fmt::format("there are more than {} accounts", most_accounts));
    if (account.comp_id.empty()) account.comp_id = account.user;
    users_[upper(account.user)] = line;
    named_.push_back(named);
    config_.accounts.push_back(std::move(account));
  }

  void read_feed(const toml::table& table) {
    VenueConfig::Feed feed;
    std::optional<Endpoint> a;
    std::int64_t scheduler = -1;
    std::uint64_t largest_packet = feed.largest_packet;
    Named named;
    std::vector<Setting> settings;
    settings.push_back({"", "feed.session", "", "", word(feed.session, 10, "the name of the feed's session")});
    settings.push_back({"", "feed.a", "", "", endpoint(a)});
    settings.push_back({"", "feed.b", "", "", endpoint(feed.b)});
    settings.push_back({"", "feed.requests", "", "", endpoint(feed.requests)});
    settings.push_back({"", "feed.snapshots", "", "", endpoint(feed.snapshots)});
    settings.push_back({"", "feed.interface", "", "", &feed.interface});
    settings.push_back({"", "feed.symbols", "", "", names(named.symbols, "symbols")});
    settings.push_back({"", "feed.scheduler", "", "", &scheduler, 0, 255});
    settings.push_back({"", "feed.flush", "", "", &feed.flush, 0, 1e9});
    settings.push_back({"", "feed.heartbeat", "", "", &feed.heartbeat, 1e6, 3.6e12});
    settings.push_back({"", "feed.largest_packet", "", "", &largest_packet, 128, 65'000});
    settings.push_back({"", "feed.requests_per_second", "", "", &feed.requests_per_source.per_second, 1, 1e9});
    settings.push_back({"", "feed.requests_burst", "", "", &feed.requests_per_source.burst, 1, 1e9});
    const std::uint32_t line = read_table(table, "feed", settings, {"session", "a"});
    const std::uint32_t here = line_in(settings, "feed.session", line);
    for (const VenueConfig::Feed& other : config_.feeds)
      if (other.session == feed.session)
        reader_.fail(here, fmt::format("feed.session is \"{}\", which another feed has already", feed.session));
    feed.a = *a;
    feed.scheduler = static_cast<int>(scheduler);
    feed.largest_packet = largest_packet;
    // Packets go there: a port is needed, and another one for each stream.
    const auto sends_to = [&](const char* key, const Endpoint& to) {
      const std::uint32_t where = line_in(settings, key, line);
      if (to.port() == 0)
        reader_.fail(where, fmt::format("{} is {}, expected the port of who listens", key, to.text()));
      for (const Door& other : streams_)
        if (other.address == to)
          reader_.fail(where,
                       fmt::format("{} is {}, which {} in line {} is already", key, to.text(), other.key, other.line));
      streams_.push_back({key, where, to, true});
      if (!to.is_multicast()) must_be_near(key, where, to);
    };
    sends_to("feed.a", feed.a);
    if (feed.b) sends_to("feed.b", *feed.b);
    if (feed.requests) add_door("feed.requests", line_in(settings, "feed.requests", line), *feed.requests, true);
    if (feed.snapshots) add_door("feed.snapshots", line_in(settings, "feed.snapshots", line), *feed.snapshots, false);
    if (feed.a.is_multicast() && !feed.interface.empty() && feed.interface != "lo") {
      const auto card = Endpoint::parse(feed.interface + ":0");
      if (!card)
        reader_.fail(line_in(settings, "feed.interface", line),
                     fmt::format("feed.interface is \"{}\", expected the address of a card such as \"127.0.0.1\"",
                                 feed.interface));
      must_be_near("feed.interface", line_in(settings, "feed.interface", line), *card);
    } else if (feed.a.is_multicast() && feed.interface.empty()) {
      feed.interface = "127.0.0.1";
    }
    named.symbols_line = line_in(settings, "feed.symbols", line);
    place("feed.scheduler", line_in(settings, "feed.scheduler", line), feed.scheduler);
    feed_names_.push_back(std::move(named));
    config_.feeds.push_back(std::move(feed));
  }

  // --- what can be said only when all has been read

  template <class Id>
  struct Place {
    Id id;
    std::uint32_t line;
  };

  template <class Id>
  std::vector<Id> resolved(const std::vector<std::string>& names, const std::map<std::string, Place<Id>>& known,
                           const std::string& key, std::uint32_t line) const {
    std::vector<Id> ids;
    for (const std::string& name : names) {
      const auto found = known.find(name);
      if (found == known.end()) {
        std::vector<std::string> all;
        std::string list;
        for (const auto& [other, unused] : known) {
          all.push_back(other);
          if (all.size() <= 8) list += (list.empty() ? "" : ", ") + other;
        }
        const std::string hint = suggestion(name, all);
        reader_.fail(line,
                     fmt::format("{} names \"{}\", which there is not{}", key, name,
                                 hint.empty() ? "; expected some of " + list + (all.size() > 8 ? " ..." : "") : hint));
      }
      if (std::find(ids.begin(), ids.end(), found->second.id) != ids.end())
        reader_.fail(line, fmt::format("{} names \"{}\" twice", key, name));
      ids.push_back(found->second.id);
    }
    return ids;
  }

  void take_names() {
    for (std::size_t i = 0; i < config_.accounts.size(); ++i) {
      VenueConfig::Account& account = config_.accounts[i];
      const Named& named = named_[i];
      account.gateways = resolved(named.gateways, gateways_, "account.gateways", named.gateways_line);
      account.symbols = resolved(named.symbols, symbols_, "account.symbols", named.symbols_line);
      if (account.gateways.empty())
        for (std::uint32_t gateway = 0; gateway < config_.gateways.size(); ++gateway)
          account.gateways.push_back(gateway);
      if (account.symbols.empty())
        for (const VenueConfig::Listed& listed : config_.instruments)
          account.symbols.push_back(listed.instrument.symbol);
    }
    std::vector<const VenueConfig::Feed*> of(config_.instruments.size());
    for (std::size_t i = 0; i < config_.feeds.size(); ++i) {
      VenueConfig::Feed& feed = config_.feeds[i];
      const std::uint32_t line = feed_names_[i].symbols_line;
      feed.symbols = resolved(feed_names_[i].symbols, symbols_, "feed.symbols", line);
      for (const SymbolId symbol : feed.symbols) {
        if (of[symbol.value] != nullptr)
          reader_.fail(line,
                       fmt::format("feed.symbols names \"{}\", which feed {} has already",
                                   name_of(config_.instruments[symbol.value].instrument), of[symbol.value]->session));
        of[symbol.value] = &feed;
      }
    }
    for (std::size_t i = 0; i < config_.feeds.size(); ++i) {
      VenueConfig::Feed& feed = config_.feeds[i];
      if (!feed.symbols.empty()) continue;
      for (const VenueConfig::Listed& listed : config_.instruments) {
        if (of[listed.instrument.symbol.value] != nullptr) continue;
        of[listed.instrument.symbol.value] = &feed;
        feed.symbols.push_back(listed.instrument.symbol);
      }
      if (feed.symbols.empty())
        reader_.fail(feed_names_[i].symbols_line, "feed.symbols is left out, and every symbol has a feed already");
    }
  }

  void take_rules() {
    const auto has = [&](const char* table) { return reader_.root().get(table) != nullptr; };
    const bool groups = std::any_of(config_.accounts.begin(), config_.accounts.end(),
                                    [](const VenueConfig::Account& account) { return account.group != 0; });
    if (has("rules")) config_.rules = rules_.rules();
    if (groups) {
      if (!config_.rules) config_.rules.emplace();
      config_.rules->groups.assign(config_.accounts.size() + 1, 0);
      for (std::size_t i = 0; i < config_.accounts.size(); ++i)
        config_.rules->groups[i + 1] = config_.accounts[i].group;
    }
    if (!has("day")) return;
    config_.day = rules_.session();
    if (!config_.rules) config_.rules.emplace();
    try {
      (void)steps_of(*config_.day);
    } catch (const std::invalid_argument& error) {
      reader_.fail(*reader_.root().get("day"), fmt::format("[day] makes no sense: {}", error.what()));
    }
  }

  void must_be_near(const std::string& key, std::uint32_t line, const Endpoint& address) {
    far_.push_back({key, line, address, false});
  }
  void add_door(const std::string& key, std::uint32_t line, const Endpoint& address, bool datagrams) {
    doors_.push_back({key, line, address, datagrams});
    must_be_near(key, line, address);
  }

  void check_doors() {
    std::sort(doors_.begin(), doors_.end(), [](const Door& a, const Door& b) { return a.line < b.line; });
    for (std::size_t i = 0; i < doors_.size(); ++i) {
      if (doors_[i].address.port() == 0) continue;
      for (std::size_t j = 0; j < i; ++j)
        if (doors_[j].address == doors_[i].address && doors_[j].datagrams == doors_[i].datagrams)
          reader_.fail(doors_[i].line,
                       fmt::format("{} is {}, which {} in line {} is already, expected another port", doors_[i].key,
                                   doors_[i].address.text(), doors_[j].key, doors_[j].line));
    }
    for (const Door& door : far_) {
      if (door.address.is_multicast())
        reader_.fail(door.line, fmt::format("{} is {}, expected an address of this machine, not of a group", door.key,
                                            door.address.text()));
      if (!config_.beyond_loopback && !door.address.is_loopback())
        reader_.fail(door.line, fmt::format("{} is {}, which other machines can reach; expected one of 127.0.0.0/8 or "
                                            "::1, or beyond_loopback = true",
                                            door.key, door.address.text()));
    }
  }

  void place(const char* key, std::uint32_t line, int scheduler) { places_.push_back({key, line, scheduler}); }
  void check_places() {
    for (const auto& [key, line, scheduler] : places_)
      if (scheduler >= static_cast<int>(config_.schedulers))
        reader_.fail(line, fmt::format("{} is {}, expected a whole number from 0 to {}: there {} {} scheduler{}", key,
                                       scheduler, config_.schedulers - 1, config_.schedulers == 1 ? "is" : "are",
                                       config_.schedulers, config_.schedulers == 1 ? "" : "s"));
    config_.metrics.largest_request = largest_request_;
  }

  struct Seat {
    const char* key;
    std::uint32_t line;
    int scheduler;
  };

  SettingsReader reader_;
  VenueConfig config_;
  VenueOptions rules_;
  std::deque<Form> forms_;  // settings point there
  std::optional<Endpoint> metrics_;
  std::uint64_t largest_request_ = 8'192;
  std::map<std::string, Place<SymbolId>> symbols_;
  std::map<std::string, Place<std::uint32_t>> gateways_;
  std::map<std::string, std::uint32_t> users_;
  std::vector<Named> named_;
  std::vector<Named> feed_names_;
  std::vector<Door> doors_;
  std::vector<Door> streams_;
  std::vector<Door> far_;
  std::vector<Seat> places_;
};

}  // namespace

VenueConfig VenueConfig::read(const std::filesystem::path& file) { return Reader(file).read(); }

}  // namespace outcry
