// Writes what the fuzzers begin with, out of the golden vectors: seeds FOLDER. One folder for each fuzzer; without the
// vectors, they hold only what is made here.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <outcry/net/ouch42.hpp>
#include <outcry/net/ouch50.hpp>

#include "tests/net/golden.hpp"
#include "tests/net/pcap.hpp"

using namespace outcry::test;

namespace {

class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }
  void add(const std::string& bytes) {
    std::ofstream(folder_ / ("seed" + std::to_string(count_++)), std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

template <class Bytes>
std::string text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool exists(const char* name) { return std::filesystem::exists(data(name)); }

void ouch(Seeds& seeds) {
  const auto add = [&](const char* name, const char* direction, char kind) {
    if (!exists(name)) return;
    for (const GoldenMessage& message : read_golden_messages(name, direction)) seeds.add(kind + text(message.bytes));
  };
  add("golden/ouch42_handmade_omi.json", "unsequenced", 0);
  add("golden/ouch42_handmade_omi.json", "sequenced", 1);
  add("golden/ouch5_handmade_omi.json", "unsequenced", 2);
  add("golden/ouch5_handmade_omi.json", "sequenced", 3);
}

void order_entry(Seeds& seeds) {
  for (const char* name : {"golden/ouch5_soup41.pcap", "golden/ouch5.pcap", "golden/ouch42.pcap"}) {
    if (!exists(name)) continue;
    std::string up, down;
    for (const Captured& captured : read_pcap(data(name)))
      (captured.destination == 9001 ? up : down) += text(captured.payload);
    seeds.add(std::string(16, '\x02') + up);
    seeds.add(std::string(16, '\x01') + down);
  }
}

/// What a client may say after its login, each message in a packet.
template <class... Messages>
std::string session(char kind, const Messages&... messages) {
  std::string stream(16, '\x20');
  stream[0] = static_cast<char>(kind | 2);
  const auto add = [&](const auto& message) {
    std::string bytes(reinterpret_cast<const char*>(&message), sizeof message);
    const std::size_t length = 1 + bytes.size();
    stream += {static_cast<char>(length >> 8), static_cast<char>(length), 'U'};
    stream += bytes;
  };
  (add(messages), ...);
  return stream;
}

void ouch_session(Seeds& seeds) {
  using namespace outcry;
  for (const char* name : {"golden/ouch5_soup41.pcap", "golden/ouch5.pcap", "golden/ouch42.pcap"}) {
    if (!exists(name)) continue;
    std::string up;
    for (const Captured& captured : read_pcap(data(name)))
      if (captured.destination == 9001) up += text(captured.payload);
    const char version = std::string_view(name).find("42") == std::string_view::npos ? 0 : 1;
    seeds.add(std::string(1, version) + std::string(15, '\x02') + up);
    seeds.add(std::string(1, version) + std::string(15, '\x40') + up + up);
  }
  ouch50::EnterOrder buy{.user_ref = 1,
                         .side = ouch::Side::buy,
                         .quantity = 100,
                         .symbol = "AAPL",
                         .price = 1'500'000,
                         .time_in_force = ouch50::TimeInForce::day,
                         .display = ouch50::Display::visible,
                         .capacity = ouch::Capacity::agency};
  ouch50::EnterOrder sell = buy;
  sell.user_ref = 2;
  sell.side = ouch::Side::sell;
  sell.quantity = 60;
  const ouch50::ReplaceOrder replace{.original_user_ref = 1,
                                     .user_ref = 3,
                                     .quantity = 200,
                                     .price = 1'490'000,
                                     .time_in_force = ouch50::TimeInForce::day,
                                     .display = ouch50::Display::hidden};
  const ouch50::CancelOrder reduce{.user_ref = 3, .quantity = 150}, cancel{.user_ref = 3};
  const ouch50::ModifyOrder modify{.user_ref = 2, .side = ouch::Side::sell_short, .quantity = 10};
  const ouch50::MassCancel mass{.user_ref = 4};
  const ouch50::DisableOrderEntry disable{.user_ref = 5};
  const ouch50::EnableOrderEntry enable{.user_ref = 6};
  seeds.add(session(0, buy, sell, replace, reduce, cancel));
  seeds.add(session(0, buy, replace, sell, modify, mass, disable, enable, ouch50::AccountQuery{}));
  const ouch42::EnterOrder old_buy{.token = "a",
                                   .side = ouch::Side::buy,
                                   .shares = 100,
                                   .stock = "AAPL",
                                   .price = 1'500'000,
                                   .time_in_force = ouch42::market_hours,
                                   .firm = "ACME",
                                   .display = 'Y',
                                   .capacity = ouch::Capacity::agency};
  const ouch42::ReplaceOrder old_replace{
      .token = "a", .new_token = "b", .shares = 150, .price = 1'490'000, .time_in_force = 60, .display = 'N'};
  seeds.add(session(1, old_buy, old_replace, ouch42::CancelOrder{.token = "b", .shares = 50},
                    ouch42::ModifyOrder{.token = "b", .side = ouch::Side::buy, .shares = 20},
                    ouch42::CancelOrder{.token = "b"}));
}

void feed(Seeds& packets, Seeds& messages) {
  if (!exists("golden/itch5.pcap")) return;
  std::string all("\0", 1);
  for (const Captured& captured : read_pcap(data("golden/itch5.pcap"))) {
    const std::size_t size = captured.payload.size();
    const std::string datagram = {'\x01', static_cast<char>(size >> 8), static_cast<char>(size)};
    packets.add(std::string("\0", 1) + datagram + text(captured.payload));
    all += datagram + text(captured.payload);
    if (size > 22) messages.add(text(captured.payload).substr(22));
  }
  packets.add(all);
}

void fix(Seeds& streams, Seeds& sessions) {
  if (exists("golden/fix.pcap"))
    for (const Captured& captured : read_pcap(data("golden/fix.pcap"))) streams.add(text(captured.payload));
  const std::string logon = "35=A|34=1|98=0|108=30|\n";
  const std::string order = "35=D|34=2|11=a|21=1|38=100|40=2|44=1.5|54=1|55=AAPL|60=20261121-01:55:00|\n";
  for (const char version : {'\0', '\1'}) {
    sessions.add(version + logon + order + "report\nwaitA\n35=2|34=3|7=1|16=0|\n35=5|34=4|\n");
    sessions.add(
        version + logon +
        "35=D|34=5|11=b|\n35=4|34=2|43=Y|36=5|123=Y|\nreport\nagain\n35=A|34=6|98=0|108=30|\n35=2|34=7|7=1|16=0|\n");
    sessions.add(version + logon + "35=4|34=2|36=9|\n35=1|34=9|112=x|\n35=A|34=1|98=0|108=30|141=Y|\n35=0|34=2|58=|\n");
  }
  sessions.add('\2' + logon + "report\n35=2|34=2|7=1|16=0|\nwaitz\n");
}

// A line for each thing that happens to a port; the numbers and names of its messages are put in by the fuzzer.
void fix_ports(Seeds& ports) {
  const std::string time = "60=20261121-01:55:00|";
  const auto order = [&](const std::string& id, const std::string& more) {
    return "D 11=" + id + "|21=1|54=1|55=AAPL|" + time + more + "\n";
  };
  const auto change = [&](const char* type, const std::string& id, const std::string& original,
                          const std::string& more) {
    return std::string(type) + " 11=" + id + "|21=1|41=" + original + "|54=1|55=AAPL|" + time + more + "\n";
  };
  for (char kind = 0; kind < 64; kind = static_cast<char>(kind + 7)) {
    const std::string first(1, kind);
    ports.add(first + order("a", "38=100|40=2|44=10|") + "!\ntA\ntB\nm\nh\nh\n" + change("F", "b", "a", "38=100|") +
              "m\nh\n");
    ports.add(first + order("a", "38=100|40=2|44=10|18=Q|") + change("G", "b", "a", "38=50|40=2|44=9.9|") + "tC\n" +
              change("G", "c", "b", "38=70|40=2|44=9.8|59=3|") + "m\nh\nm\nh\nm\nh\n!\n" +
              change("F", "d", "c", "38=1|"));
    ports.add(first + order("a", "38=100|40=2|44=10|") + "!\nb\ntA\n!\nw\xff\na\n2 7=1|16=0|\nH 11=a|54=1|55=AAPL|\n");
    ports.add(first + order("a", "38=100|40=2|44=10|") + order("e", "38=10|40=1|59=4|") + "!\nq 11=m|530=7|" + time +
              "\nk2\n" + order("f", "38=1|40=2|44=1|") + "k1\no1\n" + order("g", "38=1|40=2|44=1|") + "o2\n");
    ports.add(first + order("a", "38=100|40=2|44=10|") + order("a", "97=Y|38=100|40=2|44=10|") + "4 36=9|123=Y|\n5\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: seeds FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  Seeds ouch_seeds(folder / "ouch"), order_entry_seeds(folder / "order_entry"), packets(folder / "moldudp64"),
      messages(folder / "itch"), port_sessions(folder / "ouch_session"), streams(folder / "fix"),
      sessions(folder / "fix_session"), ports(folder / "fix_port");
  ouch(ouch_seeds);
  order_entry(order_entry_seeds);
  ouch_session(port_sessions);
  feed(packets, messages);
  fix(streams, sessions);
  fix_ports(ports);
  return 0;
}
