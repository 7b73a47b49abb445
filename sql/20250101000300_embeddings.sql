-- The vectors that the towers gave: 768 numbers for each subject and version.

create schema if not exists extensions;
create extension if not exists vector with schema extensions;

-- `if not exists` is content with an extension anywhere, and the functions that compare vectors name this schema.
do $$
declare
  found_in text := (
    select nspname from pg_catalog.pg_extension join pg_catalog.pg_namespace n on n.oid = extnamespace
    where extname = 'vector'
  );
begin
  if found_in <> 'extensions' then
    raise exception using
      message = format('The extension vector is in the schema %s and has to be in the schema extensions.', found_in),
      hint = 'Move it: alter extension vector set schema extensions;';
  end if;
end
$$;

-- No foreign key to the subjects: they may live in tables of the service's own, behind the training views. One to the
-- version: without its tower a vector means nothing, and it goes when the tower goes.
create table if not exists public.video_embeddings (
  video_id uuid not null,
  version text not null,
  model_type text not null generated always as ('item_tower') stored,
  embedding extensions.vector(768) not null,
  created_at timestamptz not null default now(),
  primary key (video_id, version),
  foreign key (version, model_type) references public.embedding_model_versions (version, model_type) on delete cascade
);

create table if not exists public.user_embeddings (
  user_id uuid not null,
  version text not null,
  model_type text not null generated always as ('user_tower') stored,
  embedding extensions.vector(768) not null,
  updated_at timestamptz not null default now(),
  primary key (user_id, version),
  foreign key (version, model_type) references public.embedding_model_versions (version, model_type) on delete cascade
);

-- The foreign keys' own look-ups, from the version.
create index if not exists video_embeddings_version_idx on public.video_embeddings (version, model_type);
create index if not exists user_embeddings_version_idx on public.user_embeddings (version, model_type);

alter table public.video_embeddings enable row level security;
alter table public.user_embeddings enable row level security;
revoke all on public.video_embeddings, public.user_embeddings from anon, authenticated;
grant all on public.video_embeddings, public.user_embeddings to service_role;

-- A vector tells what somebody likes, so it is shown to them alone.
drop policy if exists "Users may read their own vectors" on public.user_embeddings;
create policy "Users may read their own vectors" on public.user_embeddings
  for select to authenticated using (user_id = (select auth.uid()));
grant select on public.user_embeddings to authenticated;

do $$
begin
  if to_regclass('auth.users') is not null then
    drop trigger if exists forget_embeddings on auth.users;
    create trigger forget_embeddings after delete on auth.users
      for each row execute function public.forget_deleted_user('user_embeddings');
  end if;
end
$$;
